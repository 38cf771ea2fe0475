// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "userspace/datapath/object.h"
#include "userspace/datapath/version1.h"

namespace fairlead::datapath {
namespace {

constexpr const char* kGolden = FAIRLEAD_GOLDEN_LAYOUTS;

// "lb_flow4-v1" and the lines that describe it, for every pinned map.
std::map<std::string, std::string> present() {
  std::map<std::string, std::string> texts;
  const auto layouts = Object::layouts();
  EXPECT_TRUE(layouts) << layouts.error().message;
  for (const MapLayout& is : map_layouts())
    texts[std::string(is.map) + "-v" + std::to_string(is.number)] = to_text(layouts->at(is.map));
  return texts;
}

std::map<std::string, std::string> recorded() {
  std::map<std::string, std::string> texts;
  std::ifstream file(kGolden);
  std::string* text = nullptr;
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("# "))
      text = &texts[line.substr(2)];
    else if (text)
      *text += line + "\n";
  return texts;
}

// Adds what is new: a number keeps its meaning.
void record(const std::map<std::string, std::string>& texts) {
  auto all = recorded();
  all.insert(texts.begin(), texts.end());
  std::ofstream file(kGolden);
  for (const auto& [name, text] : all)
    file << "# " << name << "\n" << text;
}

// Another lbd believes a layout's number. So what a number means is written down, and never changes.
TEST(GoldenLayouts, ALayoutThatChangesHasAnotherNumber) {
  const auto now = present();
  if (std::getenv("FAIRLEAD_RECORD_LAYOUTS")) record(now);
  const auto golden = recorded();
  for (const auto& [name, text] : now) {
    const auto it = golden.find(name);
    const std::string record_it = "FAIRLEAD_RECORD_LAYOUTS=1 build/dev/tests/unit/unit_datapath records it in " +
                                  std::string(kGolden) + "; maps/README.md says what else to do.";
    if (it == golden.end())
      ADD_FAILURE() << name << " is new. " << record_it;
    else
      EXPECT_EQ(text, it->second) << name << " is not what it was: raise its layout number in maps/. Then "
                                  << record_it;
  }
}

// Of lb_verdicts none is kept: see layouts_of_v1(). Maps that it did not have began at 1 later.
TEST(GoldenLayouts, ThoseOfTheFirstReleaseAreKnown) {
  const auto golden = recorded();
  for (const auto& [name, text] : layouts_of_v1())
    EXPECT_EQ(text, golden.at(name + "-v1")) << name;
}

TEST(GoldenLayouts, EveryByteIsAField) {
  const auto layouts = Object::layouts();
  ASSERT_TRUE(layouts) << layouts.error().message;
  for (const auto& [name, layout] : *layouts)
    for (const Record* record : {&layout.key, &layout.value}) {
      std::uint32_t covered = 0;
      for (const Field& field : record->fields)
        covered += field.size * field.count;
      EXPECT_EQ(covered, record->size) << name;
    }
}

}  // namespace
}  // namespace fairlead::datapath
