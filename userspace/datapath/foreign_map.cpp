// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/foreign_map.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace fairlead::datapath {
namespace {

constexpr std::uint32_t kLongestText = 1u << 20;
constexpr std::uint32_t kFirst = 0;

Error unreadable(const std::string& path, const std::string& why) {
  return {"its description, " + path + ", cannot be read: " + why, EINVAL};
}

}  // namespace

Result<bpf_map_info> info_of(int map) {
  bpf_map_info info{};
  __u32 length = sizeof(info);
  if (bpf_obj_get_info_by_fd(map, &info, &length)) return make_error("look at", "a map", errno);
  return info;
}

Result<Layout> read_layout(const std::string& path) {
  const Fd map(bpf_obj_get(path.c_str()));
  if (!map && errno == ENOENT) return Error{"it has no description", ENOENT};
  if (!map) return unreadable(path, std::strerror(errno));
  const auto info = info_of(map.get());
  if (!info) return unreadable(path, info.error().message);
  if (info->type != BPF_MAP_TYPE_ARRAY || info->key_size != sizeof(kFirst) || info->value_size > kLongestText)
    return unreadable(path, "it is not a map of text");
  std::string text((std::size_t{info->value_size} + 7) / 8 * 8, '\0');
  if (bpf_map_lookup_elem(map.get(), &kFirst, text.data())) return unreadable(path, std::strerror(errno));
  text.resize(std::strlen(text.c_str()));
  auto layout = parse_layout(text);
  if (!layout) return unreadable(path, layout.error().message);
  return layout;
}

Result<> pin_layout(const std::string& path, const Layout& layout) {
  std::string text = to_text(layout);
  text.resize((text.size() + 1 + 7) / 8 * 8);
  const Fd map(
      bpf_map_create(BPF_MAP_TYPE_ARRAY, "lb_layout", sizeof(kFirst), static_cast<__u32>(text.size()), 1, nullptr));
  if (!map || bpf_map_update_elem(map.get(), &kFirst, text.data(), BPF_ANY)) return make_error("make", path, errno);
  if (unlink(path.c_str()) && errno != ENOENT) return make_error("replace", path, errno);
  if (bpf_obj_pin(map.get(), path.c_str())) return make_error("pin", path, errno);
  return {};
}

Result<ForeignMap> open_foreign(const Pins& pins, const Pins::Map& pinned) {
  ForeignMap map;
  map.name = pinned.name;
  map.number = pinned.layout;
  const std::string path = pins.map(pinned.name, pinned.layout);
  map.fd = Fd(bpf_obj_get(path.c_str()));
  if (!map.fd) return make_error("open", path, errno);
  const auto info = info_of(map.fd.get());
  if (!info) return info.error();
  map.info = *info;
  auto layout = read_layout(pins.layout(pinned.name, pinned.layout));
  if (!layout) return layout.error();
  map.layout = std::move(*layout);
  if (map.layout.key.size != info->key_size || map.layout.value.size != info->value_size)
    return Error{"its description is of another map: its keys and values have other sizes", EINVAL};
  return map;
}

}  // namespace fairlead::datapath
