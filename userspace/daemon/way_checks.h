// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/daemon/node_network.h"
#include "userspace/daemon/standing_problems.h"
#include "userspace/daemon/sync.h"
#include "userspace/daemon/way_problems.h"
#include "userspace/daemon/ways.h"
#include "userspace/model/store.h"

namespace fairlead::daemon {

// Looks at this node's settings and routes for what keeps packets from their way. The kernel does not tell of settings
// that change, so check() is to be called now and then.
class WayChecks {
 public:
  struct Parts {
    datapath::Object& object;
    const NodeNetwork& network;
    const Sync& sync;
    const model::Store& store;
    Ways& ways;
  };
  explicit WayChecks(const Parts& parts) : parts_(parts) {}

  void check() { problems_.set(find_way_problems(settings())); }
  const std::set<std::string>& problems() const { return problems_.all(); }

 private:
  using Clock = std::chrono::steady_clock;

  NodeSettings settings();
  std::set<Family> served() const;
  UplinkSettings uplink(const Attached& device) const;
  std::vector<InternalIp> internal_ips() const;
  std::set<std::string> lost_ways();

  Parts parts_;
  StandingProblems problems_;
  std::map<int, Clock::time_point> lost_ways_;  // by ifindex: when a packet's way last led there
};

}  // namespace fairlead::daemon
