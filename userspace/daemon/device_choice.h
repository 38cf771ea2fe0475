// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "userspace/host/host.h"

namespace fairlead::daemon {

// What there is to choose from.
struct DeviceOffer {
  const std::map<int, host::Device>& devices;
  const std::set<int>& default_routes;
  std::vector<Address> internal_ips;  // the Node's
  std::set<int> ways;                 // to backends elsewhere
};

// The devices that the programs belong on.
struct DeviceChoice {
  std::map<std::string, int> ifindices;  // by the name that chose them
  std::vector<int> desired;              // the first that was asked for first
  std::vector<std::string> problems;     // sentences: who is not among them, or not under the name that was asked for
};

// Those that have one of the names, or, where no name is given, those with a default route, with an InternalIP, and on
// the way to backends elsewhere. A name chooses one device, which stays chosen under another name as long as no other
// has the one that chose it: what lbd is on is not lost to a rename. Nor to a route or an address that goes: it may
// come back, and connections are through the device meanwhile.
// No more than lb_devices has room for: the first.
DeviceChoice choose_devices(const std::vector<std::string>& names, const DeviceOffer& offer,
                            const DeviceChoice& before);

// The choice that an earlier lbd has made without names, as far as its programs show it: they stay where they are, and
// connections with them, wherever routes and addresses are at the moment at which lbd starts. Nothing where names
// choose.
DeviceChoice earlier_choice(const std::vector<std::string>& names, const std::string& pin_directory);

// An error where none of these names is there. Without names one may come: a route that is set up after lbd starts.
Result<> check_devices(const std::vector<std::string>& names, const host::Host& node, const DeviceChoice& before);

}  // namespace fairlead::daemon
