// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <vector>

#include "userspace/datapath/object.h"

namespace fairlead::datapath {

// Finds SNAT ports that are marked as used and that no reply entry has. The programs leave a port marked where they
// cannot be sure of being the last to use it; without this it would be lost for good.
//
// Programs take and give ports meanwhile, so one look says little: a port is freed only after every look for a minute
// has found it without an owner, and at least three of them.
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
  using Pools = std::vector<lb_snat_pool>;
  struct Suspect {
    Time since;
    unsigned looks = 0;
  };

  template <class Set>
  void see(const MappedArray<Set>& table, std::uint32_t first_set, std::uint32_t sets);
  bool is_lost(std::size_t bit, Time now, std::map<std::size_t, Suspect>& still);

  Object& object_;
  Pools before_;  // as they were at the beginning
  Pools owned_;
  std::map<std::size_t, Suspect> suspects_;  // by the bit's place in all pools
};

}  // namespace fairlead::datapath
