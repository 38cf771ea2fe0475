// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/way_problems.h"

#include <algorithm>

namespace fairlead::daemon {
namespace {

// The kernel goes by the higher of two numbers.
constexpr int kStrict = 1;

std::string name_of(Family family) {
  return family == Family::IPv4 ? "IPv4" : "IPv6";
}

std::string forwarding_problem(const std::string& device, Family family) {
  const bool ipv4 = family == Family::IPv4;
  return std::string(ipv4 ? "net.ipv4" : "net.ipv6") + ".conf." + device + ".forwarding is 0: what comes in by " +
         device + " reaches no backend; " + (ipv4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding") +
         " sets it for all devices";
}

// What comes from beyond the default route is dropped where it comes in by another device.
std::string rp_filter_problem(const UplinkSettings& uplink, int of_all) {
  const std::string where = uplink.rp_filter >= of_all ? uplink.name : "all";
  return "net.ipv4.conf." + where + ".rp_filter is 1 (strict), and the default route is not by " + uplink.name +
         ": what comes in there from clients that another device is the way to is dropped before it reaches backends "
         "on this "
         "node; 2 (loose) lets it in";
}

class Finder {
 public:
  explicit Finder(const NodeSettings& settings) : settings_(settings) {}

  std::set<std::string> find() {
    for (const UplinkSettings& uplink : settings_.uplinks)
      look_at(uplink);
    for (const Family family : settings_.served)
      if (!settings_.with_a_default.contains(family))
        problems_.insert("no " + name_of(family) +
                         " default route: answers reach only clients that another route leads to");
    for (const InternalIp& ip : settings_.internal_ips)
      if (!ip.attached)
        problems_.insert("the Node's InternalIP " + ip.address.to_string() + " is an address of " + ip.device +
                         ", which lbd is not on: what comes in there is not balanced");
    for (const std::string& device : settings_.lost_ways)
      problems_.insert("the way of some packets, to a backend or back to a client, is by " + device +
                       ", which lbd is not on: they are dropped (egress_unmanaged)");
    return std::move(problems_);
  }

 private:
  bool serves(Family family) const { return settings_.served.contains(family); }

  void look_at(const UplinkSettings& uplink) {
    for (const Family family : uplink.not_forwarding)
      if (serves(family)) problems_.insert(forwarding_problem(uplink.name, family));
    if (serves(Family::IPv6) && !settings_.ipv6_forwarding)
      problems_.insert("net.ipv6.conf.all.forwarding is 0: IPv6 reaches no backend on this node");
    const bool strict = std::max(uplink.rp_filter, settings_.rp_filter_of_all) == kStrict;
    if (serves(Family::IPv4) && strict && !uplink.has_default && settings_.with_a_default.contains(Family::IPv4))
      problems_.insert(rp_filter_problem(uplink, settings_.rp_filter_of_all));
  }

  const NodeSettings& settings_;
  std::set<std::string> problems_;
};

}  // namespace

std::set<std::string> find_way_problems(const NodeSettings& settings) {
  return Finder(settings).find();
}

}  // namespace fairlead::daemon
