// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/foreign_map.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace fairlead::datapath {
namespace {

constexpr std::uint32_t kLongestText = 1u << 20;
constexpr std::uint32_t kFirst = 0;
constexpr std::string_view kSuperseded = "superseded";

Error unreadable(const std::string& path, const std::string& why, int code = EINVAL) {
  return {"its description, " + path + ", cannot be read: " + why, code};
}

std::string instead(const std::string& what, std::uint32_t has, std::uint32_t should) {
  return what + " " + std::to_string(has) + " instead of " + std::to_string(should);
}

// A map with one value.
struct Text {
  Fd map;
  std::uint32_t size = 0;  // as user space sees it
};

Result<Text> open_text(const std::string& path) {
  auto opened = open_map(path);
  if (!opened && opened.error().code == ENOENT) return Error{"it has no description", ENOENT};
  if (!opened) return unreadable(path, opened.error().message, opened.error().code);
  Text text{std::move(*opened), 0};
  const auto info = info_of(text.map.get());
  if (!info) return unreadable(path, info.error().message, info.error().code);
  if (!is_named(*info, kDescription) || info->type != BPF_MAP_TYPE_ARRAY || info->key_size != sizeof(kFirst) ||
      info->value_size > kLongestText)
    return unreadable(path, "it is not a map of text");
  text.size = (info->value_size + 7) / 8 * 8;
  return text;
}

// The types that the content is carried from, by what becomes of it. All others are read in another way, or not at all:
// a value for each CPU is many times as long as it says.
bool can_be_carried(std::uint32_t type, Kept kept) {
  switch (kept) {
    case Kept::ENTRIES:
      return type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_ARRAY;
    case Kept::COUNTERS:
      return type == BPF_MAP_TYPE_PERCPU_ARRAY;
    case Kept::FLOWS:
      return type == BPF_MAP_TYPE_ARRAY;
    case Kept::PORTS:
    case Kept::FILTER:
    case Kept::LOCKS:
      return true;
  }
  return false;
}

std::string type_name(std::uint32_t type) {
  const char* name = libbpf_bpf_map_type_str(static_cast<bpf_map_type>(type));
  return name ? name : "number " + std::to_string(type);
}

Error no_map(const std::string& path, const std::string& kind, int code) {
  return {path + ": a map was expected, and there is a " + kind, code};
}

}  // namespace

Result<std::string> kind_of(const Fd& object) {
  std::error_code error;
  const std::string link = "/proc/self/fd/" + std::to_string(object.get());
  const std::string kind = std::filesystem::read_symlink(link, error);
  // Without /proc; not ENOENT, which would say that nothing is pinned there.
  if (error) return Error{make_error("read", link, error.value()).message, EIO};
  return kind.substr(kind.find(':') + 1);
}

Result<Fd> open_map(const std::string& path) {
  Fd object(bpf_obj_get(path.c_str()));
  const int code = errno;
  std::error_code error;
  if (!object && std::filesystem::is_directory(path, error)) return no_map(path, "directory", EISDIR);
  if (!object) return make_error("open", path, code);
  const auto kind = kind_of(object);
  if (!kind) return kind.error();
  if (*kind != "bpf-map") return no_map(path, *kind, EINVAL);
  return object;
}

bool is_named(const bpf_map_info& map, const std::string& name) {
  return name.substr(0, BPF_OBJ_NAME_LEN - 1) == map.name;
}

Result<> remove_map(const std::string& path, const std::string& name) {
  const auto map = open_map(path);
  if (!map && map.error().code == ENOENT) return {};
  if (!map) return map.error();
  const auto info = info_of(map->get());
  if (!info) return info.error();
  if (!is_named(*info, name))
    return Error{path + ": the map that is pinned there is " + info->name + ", which is not lbd's to remove", EEXIST};
  if (unlink(path.c_str()) && errno != ENOENT) return make_error("remove", path, errno);
  return {};
}

Result<bpf_map_info> info_of(int map) {
  bpf_map_info info{};
  __u32 length = sizeof(info);
  if (bpf_obj_get_info_by_fd(map, &info, &length)) return make_error("look at", "a map", errno);
  return info;
}

bool tells_of_content(const Error& error) {
  return error.code == ENOENT || error.code == EINVAL || error.code == EISDIR || error.code == ESTALE;
}

Result<> each_key(int map, const bpf_map_info& info, const std::function<Result<>(std::span<const std::byte>)>& visit) {
  std::vector<std::byte> key(info.key_size), next(info.key_size);
  for (std::uint32_t i = 0; i < info.max_entries; ++i) {
    if (bpf_map_get_next_key(map, i ? key.data() : nullptr, next.data()))
      return errno == ENOENT ? Result<>() : make_error("read", info.name, errno);
    key = next;
    if (auto visited = visit(key); !visited) return visited;
  }
  return {};
}

std::string difference(const bpf_map_info& map, const Layout& layout) {
  if (type_name(map.type) != layout.type) return "the type " + type_name(map.type) + " instead of " + layout.type;
  if (map.key_size != layout.key.size) return instead("keys of size", map.key_size, layout.key.size);
  if (map.value_size != layout.value.size) return instead("values of size", map.value_size, layout.value.size);
  if (map.map_flags != layout.flags) return instead("flags", map.map_flags, layout.flags);
  return "";
}

Result<Layout> read_layout(const std::string& path) {
  const auto opened = open_text(path);
  if (!opened) return opened.error();
  std::string text(opened->size, '\0');
  if (bpf_map_lookup_elem(opened->map.get(), &kFirst, text.data())) {
    const int code = errno;
    return unreadable(path, std::strerror(code), code);
  }
  text.resize(std::min(text.find('\0'), text.size()));
  if (text == kSuperseded) return Error{"it is superseded", ESTALE};
  auto layout = parse_layout(text);
  if (!layout) return unreadable(path, layout.error().message);
  return layout;
}

Result<> pin_layout(const std::string& path, const Layout& layout) {
  std::string text = to_text(layout);
  text.resize((text.size() + 1 + 7) / 8 * 8);
  const Fd map(
      bpf_map_create(BPF_MAP_TYPE_ARRAY, kDescription, sizeof(kFirst), static_cast<__u32>(text.size()), 1, nullptr));
  if (!map || bpf_map_update_elem(map.get(), &kFirst, text.data(), BPF_ANY)) return make_error("make", path, errno);
  if (auto removed = remove_map(path, kDescription); !removed) return removed;
  if (bpf_obj_pin(map.get(), path.c_str())) return make_error("pin", path, errno);
  return {};
}

Result<> supersede_layout(const std::string& path) {
  const auto opened = open_text(path);
  if (!opened && opened.error().code == ENOENT) return {};
  if (!opened) return opened.error();
  std::string text(std::max<std::size_t>(opened->size, kSuperseded.size()), '\0');
  kSuperseded.copy(text.data(), kSuperseded.size());
  if (bpf_map_update_elem(opened->map.get(), &kFirst, text.data(), BPF_ANY)) return make_error("write", path, errno);
  return {};
}

Result<ForeignMap> open_foreign(const Pins& pins, const MapLayout& ours, unsigned number) {
  ForeignMap map;
  map.name = ours.map;
  map.number = number;
  const std::string path = pins.map(map.name, number);
  auto opened = open_map(path);
  if (!opened) return opened.error();
  map.fd = std::move(*opened);
  const auto info = info_of(map.fd.get());
  if (!info) return info.error();
  map.info = *info;
  if (!is_named(*info, map.name)) return Error{"the map that is pinned there is " + std::string(info->name), EINVAL};
  auto layout = read_layout(pins.layout(map.name, number));
  if (!layout) return layout.error();
  map.layout = std::move(*layout);
  if (const std::string differs = difference(*info, map.layout); !differs.empty())
    return Error{"its description is of another map: it has " + differs, EINVAL};
  if (!can_be_carried(info->type, ours.kept))
    return Error{"what this lbd has under the name cannot be made of the type " + map.layout.type, EINVAL};
  return map;
}

}  // namespace fairlead::datapath
