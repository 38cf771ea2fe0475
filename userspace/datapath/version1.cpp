// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/version1.h"

#include <filesystem>
#include <sstream>

#include "userspace/datapath/foreign_map.h"

namespace fairlead::datapath {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLayouts =
#include "userspace/datapath/version1_layouts.inc"
    ;

std::map<std::string, std::string> read_all() {
  std::map<std::string, std::string> layouts;
  std::istringstream in(kLayouts);
  std::string* layout = nullptr;
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("# "))
      layout = &layouts[line.substr(2)];
    else if (layout)
      *layout += line + "\n";
  return layouts;
}

// Killed before the end of it, the next lbd finds the map in v1 still, and does it again.
Result<> take_over(const Pins& pins, const std::string& from, const std::string& map) {
  const auto pinned = open_map(from);
  const auto info = pinned ? info_of(pinned->get()) : pinned.error();
  if (!info && !tells_of_content(info.error())) return info.error();
  if (!info || !is_named(*info, map))
    return {};  // somebody else's, which stays, and is named where the rest is removed
  const auto described = pins.described();
  if (!described) return described.error();
  for (const Pins::Map& one : *described)
    if (one.name == map)
      if (auto superseded = supersede_layout(pins.layout(map, one.layout)); !superseded) return superseded;
  if (const auto text = layouts_of_v1().find(map); text != layouts_of_v1().end()) {
    const auto layout = parse_layout(text->second);
    if (!layout) return layout.error();
    if (auto pinned = pin_layout(pins.layout(map, 1), *layout); !pinned) return pinned;
  }
  if (auto removed = remove_map(pins.map(map, 1), map); !removed) return removed;
  std::error_code error;
  fs::rename(from, pins.map(map, 1), error);
  if (error) return make_error("rename", from, error.value());
  return {};
}

}  // namespace

const std::map<std::string, std::string>& layouts_of_v1() {
  static const std::map<std::string, std::string> layouts = read_all();
  return layouts;
}

Result<> take_over_v1(const Pins& pins) {
  const std::string directory = pins.directory() + "/v1";
  bool found = false;
  for (const MapLayout& layout : map_layouts()) {
    const std::string from = directory + "/" + layout.map;
    std::error_code error;
    if (!fs::exists(from, error) && !error) continue;
    if (error) return make_error("look at", from, error.value());
    found = true;
    if (auto taken = take_over(pins, from, layout.map); !taken) return taken;
  }
  // Only if nothing is left in it, links for example.
  if (std::error_code error; found) fs::remove(directory, error);
  return {};
}

}  // namespace fairlead::datapath
