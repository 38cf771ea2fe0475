// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <unordered_map>

#include "userspace/state/tables.h"

namespace fairlead::state {

// What entries of lb_services lead to that are to be replaced and could not be: their rings, members, backends and
// names stay as they are, although nobody desires them any more and their space may have been given to others.
class Held {
 public:
  Held() = default;
  Held(const Services::Keys& frontends, const Tables& actual);

  void add(const lb_service_key& frontend, const Tables& actual);
  void remove(const lb_service_key& frontend);
  bool has_name(std::uint32_t id) const { return names_.contains(id); }
  bool has_backend(std::uint32_t slot) const { return backends_.contains(slot); }
  // Any of these units.
  bool has_ring(std::uint32_t offset, std::size_t units) const { return overlaps(rings_, offset, units); }
  bool has_members(std::uint32_t offset, std::size_t units) const { return overlaps(members_, offset, units); }

 private:
  struct Entry {
    lb_service service;
    Members members;  // null: leads to no ring
  };
  struct Range {
    std::uint32_t size = 0, holders = 0;
  };
  using Ranges = std::map<std::uint32_t, Range>;  // by offset

  void count(const Entry& entry, int change);
  static void count(Ranges& ranges, std::uint32_t offset, std::uint32_t size, int change);
  static bool overlaps(const Ranges& ranges, std::uint32_t offset, std::size_t size);

  AbiMap<lb_service_key, Entry> entries_;
  std::unordered_map<std::uint32_t, std::uint32_t> names_, backends_;  // key: holders
  Ranges rings_, members_;
};

}  // namespace fairlead::state
