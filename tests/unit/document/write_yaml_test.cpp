// SPDX-License-Identifier: Apache-2.0
#include "userspace/document/write_yaml.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "userspace/document/yaml.h"

namespace fairlead::document {
namespace {

namespace json = boost::json;

TEST(WriteYaml, IsPlainAndKeepsTheOrder) {
  EXPECT_EQ(write_yaml({json::parse(R"({"b":{"text":"a:b","list":["x",1],"none":null},"a":[],"c":{},"d":false})")}),
            "b:\n  text: a:b\n  list:\n    - x\n    - 1\n  none: null\na: []\nc: {}\nd: false\n");
}

TEST(WriteYaml, SeparatesDocuments) {
  EXPECT_EQ(write_yaml({json::object{{"a", 1}}, json::object{{"b", 2}}}), "a: 1\n---\nb: 2\n");
}

// Each is something else without quotes, for one version of YAML or another.
TEST(WriteYaml, IsReadBackAsItWas) {
  const json::value value = json::parse(R"({
    "strings": ["", "yes", "off", "null", "~", "12", "0x1f", "1e3", "08", "-", "- a", "a: b", "[::1]:80", "#a", " a ",
                "*a", "&a", "{a}", "a\nb", "\u00e9", "'", "\"", "\\", "<<", "=", "@", "%", "2001:db8::1"],
    "numbers": [0, -999, 4294967295, 18446744073709551615, 0.5, -2.25, 1e300],
    "nested": {"yes": [[1, []], {"12": {}}], "<<": "a"}
  })");
  const std::string text = write_yaml({value, json::object()});
  const auto read = parse_yaml(text);
  ASSERT_TRUE(read) << text << read.error().message;
  ASSERT_EQ(read->size(), 2u) << text;
  EXPECT_EQ((*read)[0], value) << text;
  EXPECT_EQ((*read)[1], json::object());
}

}  // namespace
}  // namespace fairlead::document
