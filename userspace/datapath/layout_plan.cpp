// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/layout_plan.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace fairlead::datapath {
namespace {

static_assert(std::endian::native == std::endian::little, "as the maps' hashes assume");

// The number's bytes, least significant first.
std::uint64_t read(const std::byte* at, const Field& field) {
  std::uint64_t number = 0;
  std::memcpy(&number, at, field.size);
  return field.network_order ? __builtin_bswap64(number) >> (64 - 8 * field.size) : number;
}

bool write(std::byte* at, const Field& field, std::uint64_t number) {
  if (field.size < 8 && number >> (8 * field.size)) return false;
  if (field.network_order) number = __builtin_bswap64(number) >> (64 - 8 * field.size);
  std::memcpy(at, &number, field.size);
  return true;
}

bool is_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

Plan::Plan(const Record& from, const Record& to) {
  for (const Field& field : to.fields)
    if (const Field* old = from.find(field.path)) steps_.push_back({*old, field});
}

bool Plan::apply(std::span<const std::byte> from, std::span<std::byte> to) const {
  std::fill(to.begin(), to.end(), std::byte{0});
  for (const auto& [old, field] : steps_) {
    const std::uint32_t count = std::min(old.count, field.count);
    if (old.size == field.size && old.network_order == field.network_order) {
      std::memcpy(to.data() + field.offset, from.data() + old.offset, std::size_t{field.size} * count);
    } else {
      for (std::uint32_t i = 0; i < count; ++i)
        if (!write(&to[field.offset + i * field.size], field, read(&from[old.offset + i * old.size], old)))
          return false;
    }
    if (!is_zero(from.subspan(old.offset + count * old.size, std::size_t{old.count - count} * old.size))) return false;
  }
  return true;
}

Record part_of(const Record& record, const std::string& prefix) {
  Record part{record.size, {}};
  for (Field field : record.fields)
    if (field.path.starts_with(prefix)) {
      field.path.erase(0, prefix.size());
      part.fields.push_back(std::move(field));
    }
  return part;
}

}  // namespace fairlead::datapath
