// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <vector>

#include "userspace/datapath/object.h"

namespace fairlead::datapath {

// Finds SNAT ports that are marked as used and that no reply entry has. The programs leave a port marked where they
// cannot be sure of being the last to use it; without this it would be lost for good.
//
// Programs take and give ports meanwhile, so one look says little: a port is freed only after every look for a minute
// has found it without an owner, and at least three of them. Looks of such a minute are of the ports that were suspects
// at its beginning, so that however many there are they take the memory of the pools, and a bit of work for each word;
// what is lost meanwhile is found in the next.
class PortAudit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kPatience{60};
  static constexpr unsigned kLooks = 3;

  explicit PortAudit(Object& object) : object_(object) {}

  // A look is begin(), see() of all sets of both families, and end(), which says how many ports it has freed.
  void begin();
  void see(Family family, std::uint32_t first_set, std::uint32_t sets);
  std::size_t end(Time now);

 private:
  template <class Set>
  void see(const MappedArray<Set>& table, std::uint32_t first_set, std::uint32_t sets);
  static lb_snat_pool everything();
  void keep_used();
  std::size_t free_suspects();

  Object& object_;
  std::vector<lb_snat_pool> suspects_;  // marked, and without an owner, in all looks since
  Time since_;
  unsigned looks_ = 0;
};

}  // namespace fairlead::datapath
