// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/layout_btf.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <string_view>

namespace fairlead::datapath {
namespace {

// Walks a type down to its integers. Arrays of integers stay arrays; those of structs are written out.
class Flattener {
 public:
  Flattener(const btf* types, Record& record) : types_(types), record_(record) {}

  void walk(std::uint32_t id, const std::string& path, std::uint32_t offset) {
    bool network_order = false;
    const btf_type* type = resolve(id, network_order);
    if (btf_is_composite(type))
      walk_members(type, path, offset);
    else if (btf_is_array(type))
      walk_array(type, path, offset);
    else
      record_.fields.push_back({path.empty() ? "." : path, offset, type->size, network_order, 1});
  }

 private:
  // Only the name of the typedef tells that an integer is in network order.
  const btf_type* resolve(std::uint32_t id, bool& network_order) const {
    const btf_type* type = btf__type_by_id(types_, id);
    for (; btf_is_typedef(type) || btf_is_mod(type); type = btf__type_by_id(types_, type->type))
      network_order |= std::string_view(btf__name_by_offset(types_, type->name_off)).starts_with("__be");
    return type;
  }

  void walk_members(const btf_type* type, const std::string& path, std::uint32_t offset) {
    const btf_member* member = btf_members(type);
    const std::string prefix = path.empty() ? path : path + ".";
    for (std::uint32_t i = 0; i < btf_vlen(type); ++i, ++member) {
      const std::string name = btf__name_by_offset(types_, member->name_off);
      walk(member->type, prefix + name, offset + btf_member_bit_offset(type, i) / 8);
    }
  }

  void walk_array(const btf_type* type, const std::string& path, std::uint32_t offset) {
    const struct btf_array* array = ::btf_array(type);
    const auto size = static_cast<std::uint32_t>(btf__resolve_size(types_, array->type));
    bool network_order = false;
    const btf_type* element = resolve(array->type, network_order);
    if (btf_is_int(element)) {
      record_.fields.push_back({path.empty() ? "." : path, offset, size, network_order, array->nelems});
      return;
    }
    for (std::uint32_t i = 0; i < array->nelems; ++i)
      walk(array->type, path + "[" + std::to_string(i) + "]", offset + i * size);
  }

  const btf* types_;
  Record& record_;
};

Record record_of(const btf* types, std::uint32_t id, std::uint32_t size) {
  Record record{size, {}};
  Flattener(types, record).walk(id, "", 0);
  return record;
}

}  // namespace

Layout layout_of(const bpf_object* object, const bpf_map* map) {
  const btf* types = bpf_object__btf(object);
  return {libbpf_bpf_map_type_str(bpf_map__type(map)), bpf_map__map_flags(map), bpf_map__max_entries(map),
          record_of(types, bpf_map__btf_key_type_id(map), bpf_map__key_size(map)),
          record_of(types, bpf_map__btf_value_type_id(map), bpf_map__value_size(map))};
}

}  // namespace fairlead::datapath
