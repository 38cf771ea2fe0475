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
    const NodeNetwork& network;
    const Sync& sync;
    const model::Store& store;
    Ways& ways;
  };
  explicit WayChecks(const Parts& parts) : parts_(parts) {}

  void check() { problems_.set(find_way_problems(settings())); }
  const std::set<std::string>& problems() const { return problems_.all(); }

 private:
  NodeSettings settings();
  std::set<Family> served() const;
  UplinkSettings uplink(const Attached& device) const;
  std::vector<InternalIp> internal_ips() const;

  Parts parts_;
  StandingProblems problems_;
};

}  // namespace fairlead::daemon
