// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/pins.h"

#include <cerrno>
#include <filesystem>
#include <optional>

#include "maps/layouts.h"
#include "userspace/datapath/listing.h"
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

Result<std::vector<Pins::Map>> maps_in(const std::string& directory) {
  const auto files = list(directory);
  if (!files) return files.error();
  std::vector<Pins::Map> maps;
  for (const fs::path& file : *files)
    if (const auto map = parse(file.filename())) maps.push_back(*map);
  return maps;
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

Result<std::vector<std::string>> Pins::earlier() const {
  return versioned_directories(directory_);
}

Result<std::vector<Pins::Map>> Pins::pinned() const {
  return maps_in(maps());
}

Result<std::vector<Pins::Map>> Pins::described() const {
  return maps_in(layouts());
}

std::string map_name(const std::string& file) {
  const auto map = parse(file);
  return map ? map->name : file;
}

Result<std::vector<std::string>> earlier_maps(const std::string& directory) {
  const auto files = list(directory);
  if (!files) return files.error();
  std::vector<std::string> maps;
  for (const fs::path& file : *files)
    if (const std::string name = file.filename(); name.starts_with("lb_")) maps.push_back(name);
  return maps;
}

Result<> Pins::make() const {
  if (auto made = make_pin_directory(maps()); !made) return made;
  return make_pin_directory(layouts());
}

}  // namespace fairlead::datapath
