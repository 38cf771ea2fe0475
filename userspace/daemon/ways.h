// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "userspace/daemon/node_network.h"
#include "userspace/daemon/options/options.h"
#include "userspace/daemon/source_choice.h"
#include "userspace/daemon/standing_problems.h"
#include "userspace/daemon/sync.h"
#include "userspace/datapath/sources.h"
#include "userspace/host/route_lookup.h"

namespace fairlead::daemon {

// The ways from this node to backends on other nodes, as the kernel's routes have them, and what SNAT sends from on
// each. Routes, addresses and services may change.
class Ways {
 public:
  struct Parts {
    datapath::Object& object;
    const Options& options;
    const NodeNetwork& network;
    const Sync& sync;
  };
  Ways(const Parts& parts, host::RouteLookup lookup);

  // The Node, or this node's addresses, have changed. `node` may be null.
  void set_node(const model::Node* node);
  // To be called before each write: a backend has its source before a flow can begin.
  void prepare(const state::Operation& operation);
  // Asks for the ways anew where something may have changed; to be called now and then.
  void follow();
  // The devices that they lead by.
  std::set<int> devices() const;
  // Looks for what is wrong with them. Returns whether device_table() has changed.
  bool check();

  // What the programs need to send through the devices that they are on.
  state::Devices::Content device_table();
  const std::set<std::string>& problems() const { return problems_.all(); }
  // A way to addresses that nothing is known of: that of a default route.
  Result<host::Route> to_anywhere(Family family);

 private:
  struct Way {
    Address to;
    std::set<int> devices;  // none: there is no way
    std::string why_not;
  };

  void find(std::uint32_t slot, const lb_backend& backend);
  void forget(std::uint32_t slot);
  state::Devices::Content make_device_table() const;
  bool is_service(const Address& address) const;
  std::set<std::string> find_problems() const;
  void add_problems_of_asked(std::set<std::string>& problems) const;
  void add_problems_of_ways(std::set<std::string>& problems) const;

  Parts parts_;
  host::RouteLookup lookup_;
  datapath::Sources sources_;
  SourceOffer offer_;
  std::unordered_map<std::uint32_t, Way> ways_;  // by the backend's slot
  state::Devices::Content device_table_;
  StandingProblems problems_;
  std::uint64_t routes_seen_ = 0;
  bool changed_ = true;
};

}  // namespace fairlead::daemon
