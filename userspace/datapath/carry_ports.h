// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "userspace/datapath/carry_flows.h"

namespace fairlead::datapath {

// Fills pools of a new layout with the source ports that the flows of this build's tables have.
class CarryPorts {
 public:
  CarryPorts(SnatPorts ports, const MappedArray<lb_flow4_set>& flows4, const MappedArray<lb_flow6_set>& flows6)
      : ports_(ports), flows4_(&flows4), flows6_(&flows6) {}

  // Marks the ports of flows that are new since the last time, and gives back those of flows that have ended since.
  void carry();

 private:
  using Pools = std::vector<lb_snat_pool>;
  Pools in_use() const;

  SnatPorts ports_;
  const MappedArray<lb_flow4_set>* flows4_;
  const MappedArray<lb_flow6_set>* flows6_;
  Pools carried_;
};

}  // namespace fairlead::datapath
