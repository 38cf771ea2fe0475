// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "userspace/util/address.h"

namespace fairlead::daemon {

// What the kernel does with packets that come in by a device that the programs are on.
struct UplinkSettings {
  std::string name;
  std::set<Family> not_forwarding;
  int rp_filter = 0;        // net.ipv4.conf.<name>
  bool has_default = true;  // an IPv4 default route is by it
};

// An InternalIP of the Node, and the device that has it.
struct InternalIp {
  Address address;
  std::string device;
  bool attached = false;
};

struct NodeSettings {
  std::set<Family> served;  // that services have frontends of
  std::vector<UplinkSettings> uplinks;
  int rp_filter_of_all = 0;
  bool ipv6_forwarding = true;      // net.ipv6.conf.all
  std::set<Family> with_a_default;  // that some default route is of
  std::vector<InternalIp> internal_ips;
  std::set<std::string> lost_ways;  // devices that lbd is not on, and that packets' ways have led by
};

// What keeps packets from coming here, from reaching backends, or answers from reaching clients, each in words.
std::set<std::string> find_way_problems(const NodeSettings& settings);

}  // namespace fairlead::daemon
