// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "userspace/datapath/carry_flows.h"
#include "userspace/datapath/foreign_pools.h"

namespace fairlead::datapath {

// Fills pools of a new layout with the source ports that the flows of this build's tables have, and keeps both builds'
// programs from giving one port to two flows while both run.
class CarryPorts {
 public:
  // Adopted: they were filled before, and programs may be running by them.
  CarryPorts(SnatPorts ports, bool adopted, const MappedArray<lb_flow4_set>& flows4,
             const MappedArray<lb_flow6_set>& flows6)
      : ports_(ports), adopted_(adopted), flows4_(&flows4), flows6_(&flows6) {}

  // Marks what flows have.
  void carry();
  // Right before programs of this build run beside the other's: takes every other free port from the other's pools, and
  // marks all others that are free. Where those pools cannot be understood, all.
  void divide(const ForeignMap* theirs);
  // When only programs of this build run: what nobody has is free again.
  void finish();

 private:
  using Pools = std::vector<lb_snat_pool>;
  Pools in_use() const;
  std::atomic_ref<__u64> word_of(std::size_t pool, std::size_t word) const;

  SnatPorts ports_;
  bool adopted_;
  const MappedArray<lb_flow4_set>* flows4_;
  const MappedArray<lb_flow6_set>* flows6_;
  Pools reserved_;  // marked by divide()
};

}  // namespace fairlead::datapath
