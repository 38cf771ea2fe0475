// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "userspace/datapath/carry_flows.h"

namespace fairlead::datapath {

// Fills pools of a new layout with the source ports that the flows of this build's tables have.
class CarryPorts {
 public:
  CarryPorts(SnatPorts ports, const MappedArray<lb_flow4_set>& flows4, const MappedArray<lb_flow6_set>& flows6)
      : ports_(ports), flows4_(&flows4), flows6_(&flows6) {}

  // Before programs of this build run: what is marked is what is in use.
  void carry();
  // While they do: what they have begun or ended is theirs to mark.
  void add();

 private:
  using Pools = std::vector<lb_snat_pool>;
  using Visit = std::function<void(std::atomic_ref<__u64> used, std::uint64_t in_use)>;
  Pools in_use() const;
  void for_each_word(const Visit& visit) const;

  SnatPorts ports_;
  const MappedArray<lb_flow4_set>* flows4_;
  const MappedArray<lb_flow6_set>* flows6_;
};

}  // namespace fairlead::datapath
