// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/adopt.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>

#include "userspace/datapath/foreign_map.h"

namespace fairlead::datapath {
namespace {

Error mistaken(const MapLayout& is, const std::string& how) {
  return {std::string(is.map) + "-v" + std::to_string(is.number) + ": " + how +
              ". Two builds call different layouts by one number: the later one must raise it in maps/. Until then, "
              "lbd --cleanup removes the pinned map, and all connections",
          EINVAL};
}

// The kernel's own word, which holds for maps without a description too.
Result<> compare(const MapLayout& is, const Layout& layout, const bpf_map_info& info) {
  const auto differ = [&](const char* what, std::uint32_t pinned, std::uint32_t ours) {
    return mistaken(is, std::string("the pinned map has ") + what + " " + std::to_string(pinned) +
                            " where this lbd has " + std::to_string(ours));
  };
  const char* type = libbpf_bpf_map_type_str(static_cast<bpf_map_type>(info.type));
  if (!type || layout.type != type)
    return mistaken(is, std::string("the pinned map is of type ") + (type ? type : "unknown"));
  if (info.key_size != layout.key.size) return differ("keys of size", info.key_size, layout.key.size);
  if (info.value_size != layout.value.size) return differ("values of size", info.value_size, layout.value.size);
  if (info.map_flags != layout.flags) return differ("flags", info.map_flags, layout.flags);
  return {};
}

}  // namespace

Result<Fd> open_pinned(const Pins& pins, const MapLayout& is, const Layout& layout) {
  const std::string path = pins.map(is.map, is.number);
  Fd map(bpf_obj_get(path.c_str()));
  if (!map && errno == ENOENT) return Fd();
  if (!map) return make_error("open", path, errno);
  const auto info = info_of(map.get());
  if (!info) return info.error();
  if (auto same = compare(is, layout, *info); !same) return same.error();
  const auto described = read_layout(pins.layout(is.map, is.number));
  if (described && *described != layout) return mistaken(is, "the pinned map " + first_difference(layout, *described));
  return map;
}

Result<> pin_map(const Pins& pins, const MapLayout& is, const Layout& layout, int map) {
  const std::string description = pins.layout(is.map, is.number), path = pins.map(is.map, is.number);
  const auto described = read_layout(description);
  if (!described || *described != layout)
    if (auto pinned = pin_layout(description, layout); !pinned) return pinned;
  if (bpf_obj_pin(map, path.c_str()) && errno != EEXIST) return make_error("pin", path, errno);
  return {};
}

}  // namespace fairlead::datapath
