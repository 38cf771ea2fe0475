// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/held.h"

namespace fairlead::state {
namespace {

void count(std::unordered_map<std::uint32_t, std::uint32_t>& holders, std::uint32_t key, int change) {
  std::uint32_t& held = holders[key];
  held += change;
  if (!held) holders.erase(key);
}

}  // namespace

Held::Held(const Services::Keys& frontends, const Tables& actual) {
  for (const lb_service_key& frontend : frontends)
    add(frontend, actual);
}

void Held::add(const lb_service_key& frontend, const Tables& actual) {
  const auto service = actual.services.find(frontend);
  if (service == actual.services.end()) return;
  Entry entry{service->second, nullptr};
  const auto members = actual.members.find(entry.service.member_offset);
  if (entry.service.ring_slots && members != actual.members.end()) entry.members = members->second;
  const auto [it, is_new] = entries_.try_emplace(frontend, entry);
  if (is_new) count(it->second, +1);
}

void Held::remove(const lb_service_key& frontend) {
  const auto it = entries_.find(frontend);
  if (it == entries_.end()) return;
  count(it->second, -1);
  entries_.erase(it);
}

void Held::count(const Entry& entry, int change) {
  state::count(names_, entry.service.id, change);
  if (!entry.members) return;
  count(rings_, entry.service.ring_offset, entry.service.ring_slots, change);
  count(members_, entry.service.member_offset, entry.service.member_count, change);
  for (const std::uint32_t slot : *entry.members)
    state::count(backends_, slot, change);
}

void Held::count(Ranges& ranges, std::uint32_t offset, std::uint32_t size, int change) {
  Range& range = ranges[offset];
  range.size = size;
  range.holders += change;
  if (!range.holders) ranges.erase(offset);
}

bool Held::overlaps(const Ranges& ranges, std::uint32_t offset, std::size_t size) {
  const auto behind = ranges.lower_bound(offset);
  if (behind != ranges.end() && behind->first < offset + size) return true;
  return behind != ranges.begin() && std::prev(behind)->first + std::prev(behind)->second.size > offset;
}

}  // namespace fairlead::state
