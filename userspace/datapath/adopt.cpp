// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/adopt.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "userspace/datapath/foreign_map.h"
#include "userspace/datapath/sizes.h"

namespace fairlead::datapath {
namespace {

Error mistaken(const MapLayout& is, const std::string& how) {
  return {std::string(is.map) + "-v" + std::to_string(is.number) + ": " + how +
              ". Two builds call different layouts by one number: the later one must raise it in maps/. Until then, "
              "lbd --cleanup removes the pinned map, and all connections",
          EINVAL};
}

Error in_its_place(const std::string& path, const bpf_map_info& other) {
  return {path + ": in the place of lbd's map is " + other.name + " with the id " + std::to_string(other.id) +
              ", which is not lbd's to remove",
          EEXIST};
}

bool is_sized(const MapLayout& is) {
  const auto sized = sized_maps();
  return std::any_of(sized.begin(), sized.end(), [&](const Sized& one) { return std::string_view(one.map) == is.map; });
}

// The kernel's own word goes before the description's.
Result<> compare(const MapLayout& is, const Layout& layout, const bpf_map_info& info, const Layout& described) {
  if (const std::string differs = difference(info, layout); !differs.empty())
    return mistaken(is, "the pinned map has " + differs);
  if (!is_sized(is) && info.max_entries != layout.entries)
    return mistaken(is, "the pinned map has " + std::to_string(info.max_entries) + " entries instead of " +
                            std::to_string(layout.entries));
  if (described != layout) return mistaken(is, "the pinned map " + first_difference(layout, described));
  return {};
}

}  // namespace

Result<Pinned> open_pinned(const Pins& pins, const MapLayout& is, const Layout& layout) {
  const std::string path = pins.map(is.map, is.number);
  auto map = open_map(path);
  if (!map && map.error().code == ENOENT) return Pinned{};
  if (!map) return map.error();
  const auto info = info_of(map->get());
  if (!info) return info.error();
  const std::string label = std::string(is.map) + "-v" + std::to_string(is.number);
  if (!is_named(*info, is.map)) return in_its_place(path, *info);
  const auto described = read_layout(pins.layout(is.map, is.number));
  if (!described && described.error().code == ESTALE) return Pinned{};
  if (!described && tells_of_content(described.error())) return Pinned{{}, label + ": " + described.error().message};
  if (!described) return Error{label + ": " + described.error().message, described.error().code};
  if (auto same = compare(is, layout, *info, *described); !same) return same.error();
  return Pinned{std::move(*map), ""};
}

Result<> pin_map(const Pins& pins, const MapLayout& is, const Layout& layout, int map) {
  const std::string path = pins.map(is.map, is.number);
  if (auto removed = remove_map(path, is.map); !removed) return removed;
  if (auto pinned = pin_layout(pins.layout(is.map, is.number), layout); !pinned) return pinned;
  if (bpf_obj_pin(map, path.c_str())) return make_error("pin", path, errno);
  return {};
}

Result<bool> is_pinned(const Pins& pins, const MapLayout& is, int map) {
  const std::string path = pins.map(is.map, is.number);
  const auto pinned = open_map(path);
  if (!pinned && pinned.error().code == ENOENT) return false;
  if (!pinned) return pinned.error();
  const auto there = info_of(pinned->get()), ours = info_of(map);
  if (!there || !ours) return there ? ours.error() : there.error();
  if (there->id != ours->id) return in_its_place(path, *there);
  std::error_code ignored;
  return std::filesystem::is_regular_file(pins.layout(is.map, is.number), ignored);
}

}  // namespace fairlead::datapath
