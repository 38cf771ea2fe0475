// SPDX-License-Identifier: Apache-2.0
#include "tests/datapath/other_layout.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

#include "maps/abi.h"

namespace fairlead::test {
namespace {

using datapath::Field;
using datapath::Layout;
using datapath::Record;

std::string way(std::uint32_t number) {
  return "way[" + std::to_string(number) + "].";
}

std::uint32_t aligned(std::uint32_t offset, std::uint32_t to) {
  return (offset + to - 1) / to * to;
}

// From the last field to the first, each as its size wants it.
Record backwards(const std::vector<Field>& fields) {
  Record record{16, {{"added", 0, 4, false, 3}}};
  for (auto it = fields.rbegin(); it != fields.rend(); ++it) {
    Field field = *it;
    field.offset = aligned(record.size, field.size);
    record.size = field.end();
    record.fields.push_back(field);
  }
  record.size = aligned(record.size, 8);
  return record;
}

Record scrambled_sets(const Record& record) {
  std::vector<Field> first;
  for (const Field& field : record.fields)
    if (field.path.starts_with(way(0))) first.push_back(field);
  const Record entry = backwards(first);
  Record sets{entry.size * LB_FLOW_WAYS, {}};
  for (std::uint32_t number = 0; number < LB_FLOW_WAYS; ++number)
    for (Field field : entry.fields) {
      field.offset += number * entry.size;
      field.path = way(number) + (field.path == "added" ? field.path : field.path.substr(way(0).size()));
      sets.fields.push_back(field);
    }
  return sets;
}

using Entry = std::vector<std::uint8_t>;

Entry moved(const Entry& from, const Record& old, const Record& other) {
  Entry to((other.size + 7) / 8 * 8);
  for (const Field& field : other.fields)
    if (const Field* source = old.find(field.path))
      std::memcpy(&to[field.offset], &from[source->offset],
                  std::min(field.size * field.count, source->size * source->count));
  return to;
}

void check(bool good, const std::string& what) {
  if (!good) throw std::runtime_error(what + ": " + std::strerror(errno));
}

}  // namespace

Layout scrambled(const Layout& layout) {
  Layout other = layout;
  other.value = layout.value.find(way(0) + "head.seq") ? scrambled_sets(layout.value)
                : layout.value.fields[0].path == "."   ? layout.value
                                                       : backwards(layout.value.fields);
  if (layout.key.fields[0].path != ".") other.key = backwards(layout.key.fields);
  return other;
}

void leave_in(const datapath::Pins& pins, const datapath::MapLayout& is, const Layout& other) {
  const std::string path = pins.map(is.map, is.number);
  const Fd from(bpf_obj_get(path.c_str()));
  check(static_cast<bool>(from), path);
  const bpf_map_info info = *datapath::info_of(from.get());
  const Layout layout = *datapath::read_layout(pins.layout(is.map, is.number));
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = info.map_flags);
  const Fd to(bpf_map_create(static_cast<bpf_map_type>(info.type), info.name, other.key.size, other.value.size,
                             info.max_entries, &options));
  check(static_cast<bool>(to), "create " + path);

  const bool per_cpu = info.type == BPF_MAP_TYPE_PERCPU_ARRAY;
  const int cpus = per_cpu ? libbpf_num_possible_cpus() : 1;
  const std::size_t size = (info.value_size + 7) / 8 * 8;
  Entry key(info.key_size), next(info.key_size), values(size * static_cast<std::size_t>(cpus));
  for (const void* previous = nullptr; !bpf_map_get_next_key(from.get(), previous, next.data());
       previous = key.data()) {
    key = next;
    if (bpf_map_lookup_elem(from.get(), key.data(), values.data())) continue;
    if (values == Entry(values.size())) continue;
    Entry all;
    for (int cpu = 0; cpu < cpus; ++cpu) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(size) * cpu;
      const Entry one = moved({begin, begin + static_cast<std::ptrdiff_t>(size)}, layout.value, other.value);
      all.insert(all.end(), one.begin(), one.end());
    }
    check(!bpf_map_update_elem(to.get(), moved(key, layout.key, other.key).data(), all.data(), BPF_ANY),
          "fill " + path);
  }
  unlink(path.c_str());
  unlink(pins.layout(is.map, is.number).c_str());
  check(!bpf_obj_pin(to.get(), pins.map(is.map, kOtherNumber).c_str()), "pin " + path);
  check(static_cast<bool>(datapath::pin_layout(pins.layout(is.map, kOtherNumber), other)), "describe " + path);
}

OtherEntry::OtherEntry(const Layout& layout, std::byte* set, std::uint32_t number)
    : layout_(&layout), prefix_(way(number)), set_(set) {
  const std::size_t size = layout.value.size / LB_FLOW_WAYS;
  bytes_ = {set + number * size, size};
}

const Field& OtherEntry::field(const std::string& name) const {
  const Field* field = layout_->value.find(prefix_ + name);
  if (!field) throw std::runtime_error("no field " + prefix_ + name);
  return *field;
}

std::uint64_t OtherEntry::get(const std::string& name) const {
  std::uint64_t value = 0;
  std::memcpy(&value, set_ + field(name).offset, field(name).size);
  return field(name).network_order ? __builtin_bswap64(value) >> (64 - 8 * field(name).size) : value;
}

void OtherEntry::set(const std::string& name, std::uint64_t value) {
  std::memcpy(set_ + field(name).offset, &value, field(name).size);
}

void each_other_flow(const datapath::ForeignMap& map, const std::function<void(OtherEntry&)>& visit) {
  const std::size_t size = std::size_t{map.info.value_size} * map.info.max_entries;
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, map.fd.get(), 0);
  check(memory != MAP_FAILED, "map " + map.label());
  for (std::uint32_t set = 0; set < map.info.max_entries; ++set)
    for (std::uint32_t number = 0; number < LB_FLOW_WAYS; ++number) {
      OtherEntry entry(map.layout, static_cast<std::byte*>(memory) + std::size_t{set} * map.info.value_size, number);
      if (entry.get("head.proto")) visit(entry);
    }
  munmap(memory, size);
}

}  // namespace fairlead::test
