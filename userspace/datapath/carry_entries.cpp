// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/carry_entries.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>

#include "userspace/datapath/layout_plan.h"

namespace fairlead::datapath {
namespace {

using Bytes = std::vector<std::byte>;
using Visit = std::function<Result<>(std::span<const std::byte> key, std::span<const std::byte> value)>;

constexpr std::size_t kBatchBytes = 4u << 20;

std::size_t rounded(std::size_t size) {
  return (size + 7) / 8 * 8;
}

bool is_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

std::uint32_t index_of(std::span<const std::byte> key) {
  std::uint32_t index = 0;
  std::memcpy(&index, key.data(), sizeof(index));
  return index;
}

Result<> each_of_hash(const ForeignMap& map, const Visit& visit) {
  Bytes value(map.info.value_size);
  return each_key(map.fd.get(), map.info, [&](std::span<const std::byte> key) -> Result<> {
    if (bpf_map_lookup_elem(map.fd.get(), key.data(), value.data()))
      return errno == ENOENT ? Result<>() : make_error("read", map.label(), errno);
    return visit(key, value);
  });
}

// Of an array those that are not zero, which is what it is made with; value_size counts all CPUs.
Result<> each_of_array(const ForeignMap& map, std::size_t value_size, const Visit& visit) {
  const auto batch = static_cast<std::uint32_t>(std::clamp<std::size_t>(kBatchBytes / value_size, 1, 4096));
  Bytes keys(batch * sizeof(std::uint32_t)), values(batch * value_size);
  std::uint32_t at = 0;
  for (std::uint32_t seen = 0; seen < map.info.max_entries;) {
    std::uint32_t count = batch;
    // The end is an ENOENT that comes with the last of them.
    if (bpf_map_lookup_batch(map.fd.get(), seen ? &at : nullptr, &at, keys.data(), values.data(), &count, nullptr) &&
        (errno != ENOENT || !count))
      return make_error("read", map.label(), errno);
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto value = std::span(values).subspan(i * value_size, value_size);
      if (is_zero(value)) continue;
      if (auto visited = visit(std::span(keys).subspan(std::size_t{i} * 4, 4), value); !visited) return visited;
    }
    seen += count;
  }
  return {};
}

bool is_array(const ForeignMap& map) {
  return map.info.type == BPF_MAP_TYPE_ARRAY;
}

}  // namespace

Result<Carried> carry_entries(const ForeignMap& from, const CarryTarget& to) {
  const Plan keys(from.layout.key, to.layout.key), values(from.layout.value, to.layout.value);
  Bytes key(to.layout.key.size), value(rounded(to.layout.value.size));
  Carried carried;
  const auto carry = [&](std::span<const std::byte> old_key, std::span<const std::byte> old_value) -> Result<> {
    ++carried.entries;
    if (!keys.apply(old_key, key) || !values.apply(old_value, std::span(value).first(to.layout.value.size)))
      ++carried.unfit;
    else if (!bpf_map_update_elem(to.fd, key.data(), value.data(), is_array(from) ? BPF_ANY : BPF_NOEXIST) ||
             errno == EEXIST)
      return {};
    else if (errno == E2BIG)
      ++carried.no_room;
    else
      return make_error("write", from.name, errno);
    return {};
  };
  const auto done =
      is_array(from) ? each_of_array(from, rounded(from.info.value_size), carry) : each_of_hash(from, carry);
  if (!done) return done.error();
  return carried;
}

CarryCounters::CarryCounters(const ForeignMap& from, const CarryTarget& to, std::size_t cpus)
    : from_(from), to_(to), cpus_(cpus) {
}

Result<std::map<std::uint32_t, CarryCounters::Values>> CarryCounters::read() const {
  const Plan plan(from_.layout.value, to_.layout.value);
  const std::size_t old_size = rounded(from_.info.value_size), size = rounded(to_.layout.value.size);
  std::map<std::uint32_t, Values> read;
  const auto visit = [&](std::span<const std::byte> key, std::span<const std::byte> old) -> Result<> {
    Values values(size * cpus_);
    // Counters have 64 bits in every layout, so each fits.
    for (std::size_t cpu = 0; cpu < cpus_; ++cpu)
      plan.apply(old.subspan(cpu * old_size, from_.info.value_size),
                 std::span(values).subspan(cpu * size, to_.layout.value.size));
    read[index_of(key)] = std::move(values);
    return {};
  };
  if (auto done = each_of_array(from_, old_size * cpus_, visit); !done) return done.error();
  return read;
}

Result<Carried> CarryCounters::carry() {
  auto now = read();
  if (!now) return now.error();
  before_ = std::move(*now);
  Carried carried{before_.size(), 0, 0, 0};
  for (const auto& [index, values] : before_)
    if (index >= to_.entries)
      ++carried.no_room;
    else if (bpf_map_update_elem(to_.fd, &index, values.data(), BPF_ANY))
      return make_error("write", from_.name, errno);
  return carried;
}

Result<> CarryCounters::carry_growth() {
  auto now = read();
  if (!now) return now.error();
  for (const auto& [index, values] : *now) {
    const Values zero(values.size());
    const auto it = before_.find(index);
    const Values& before = it == before_.end() ? zero : it->second;
    if (index >= to_.entries || values == before) continue;
    if (auto added = add(index, values, before); !added) return added;
  }
  before_ = std::move(*now);
  return {};
}

Result<> CarryCounters::add(std::uint32_t index, const Values& now, const Values& before) const {
  Values sum(now.size());
  if (bpf_map_lookup_elem(to_.fd, &index, sum.data())) return make_error("read", from_.name, errno);
  for (std::size_t at = 0; at < sum.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t counts[3];
    std::memcpy(&counts[0], &sum[at], sizeof(counts[0]));
    std::memcpy(&counts[1], &now[at], sizeof(counts[1]));
    std::memcpy(&counts[2], &before[at], sizeof(counts[2]));
    counts[0] += counts[1] - counts[2];
    std::memcpy(&sum[at], &counts[0], sizeof(counts[0]));
  }
  if (bpf_map_update_elem(to_.fd, &index, sum.data(), BPF_ANY)) return make_error("write", from_.name, errno);
  return {};
}

}  // namespace fairlead::datapath
