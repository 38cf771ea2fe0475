// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/pins.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>

#include "maps/layouts.h"
#include "userspace/datapath/pin_directory.h"
#include "userspace/util/text.h"

namespace fairlead::datapath {
namespace {

namespace fs = std::filesystem;

std::string versioned(const std::string& name, unsigned layout) {
  return name + "-v" + std::to_string(layout);
}

std::optional<Pins::Map> parse(const std::string& file) {
  const std::size_t dash = file.rfind("-v");
  if (dash == file.npos || !file.starts_with("lb_")) return std::nullopt;
  const auto layout = to_number<unsigned>(std::string_view(file).substr(dash + 2));
  if (!layout) return std::nullopt;
  return Pins::Map{file.substr(0, dash), *layout};
}

std::vector<Pins::Map> parse_all(const std::vector<std::string>& files) {
  std::vector<Pins::Map> maps;
  for (const std::string& file : files)
    if (const auto map = parse(file)) maps.push_back(*map);
  return maps;
}

// File names, sorted; none where there is no such directory.
std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto it = fs::directory_iterator(directory, error); !error && it != fs::directory_iterator();
       it.increment(error))
    names.push_back(it->path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::span<const MapLayout> map_layouts() {
  static constexpr MapLayout kLayouts[] = {
#define LB_MAP_LAYOUT(name, number, kept) {#name, number, Kept::kept},
      LB_MAPS(LB_MAP_LAYOUT)
#undef LB_MAP_LAYOUT
  };
  return kLayouts;
}

std::string Pins::map(const std::string& name, unsigned layout) const {
  return maps() + "/" + versioned(name, layout);
}

std::string Pins::layout(const std::string& name, unsigned layout) const {
  return layouts() + "/" + versioned(name, layout);
}

std::vector<std::string> Pins::earlier() const {
  return versioned_directories(directory_);
}

std::vector<Pins::Map> Pins::pinned() const {
  return parse_all(names_in(maps()));
}

std::vector<Pins::Map> Pins::described() const {
  return parse_all(names_in(layouts()));
}

std::string map_name(const std::string& file) {
  const auto map = parse(file);
  return map ? map->name : file;
}

std::vector<std::string> earlier_maps(const std::string& directory) {
  std::vector<std::string> maps = names_in(directory);
  std::erase_if(maps, [](const std::string& name) { return !name.starts_with("lb_"); });
  return maps;
}

Result<> Pins::make() const {
  if (auto made = make_pin_directory(maps()); !made) return made;
  return make_pin_directory(layouts());
}

}  // namespace fairlead::datapath
