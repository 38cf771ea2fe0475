// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/way_checks.h"

#include <algorithm>

#include "userspace/host/sysctl.h"

namespace fairlead::daemon {
namespace {

// Clients try again within that time.
constexpr std::chrono::minutes kLostWay{1};

// What the kernel does not have is not what is wrong.
bool is_off(const std::string& path) {
  return host::net_sysctl(path) == 0;
}

}  // namespace

NodeSettings WayChecks::settings() {
  NodeSettings settings;
  settings.served = served();
  for (const auto& [name, device] : parts_.network.attached())
    settings.uplinks.push_back(uplink(device));
  settings.rp_filter_of_all = host::net_sysctl("ipv4/conf/all/rp_filter").value_or(0);
  settings.ipv6_forwarding = !is_off("ipv6/conf/all/forwarding");
  for (const Family family : {Family::IPv4, Family::IPv6})
    if (parts_.ways.to_anywhere(family)) settings.with_a_default.insert(family);
  settings.internal_ips = internal_ips();
  settings.lost_ways = lost_ways();
  return settings;
}

std::set<Family> WayChecks::served() const {
  std::set<Family> families;
  for (const auto& [key, service] : parts_.sync.placement().desired().services)
    families.insert(static_cast<Family>(key.family));
  return families;
}

UplinkSettings WayChecks::uplink(const Attached& device) const {
  UplinkSettings uplink;
  uplink.name = device.device;
  if (is_off("ipv4/conf/" + device.device + "/forwarding")) uplink.not_forwarding.insert(Family::IPv4);
  if (is_off("ipv6/conf/" + device.device + "/forwarding")) uplink.not_forwarding.insert(Family::IPv6);
  uplink.rp_filter = host::net_sysctl("ipv4/conf/" + device.device + "/rp_filter").value_or(0);
  uplink.has_default = parts_.network.host().ipv4_default_route_devices().contains(device.ifindex);
  return uplink;
}

// One on lo is reached by any device.
std::vector<InternalIp> WayChecks::internal_ips() const {
  std::vector<InternalIp> ips;
  const auto node = parts_.store.node();
  if (!node) return ips;
  const auto attached = parts_.network.attached();
  for (const Address& address : node->internal_ips)
    for (const auto& [ifindex, device] : parts_.network.host().devices())
      if (!device.loopback &&
          std::find(device.addresses.begin(), device.addresses.end(), address) != device.addresses.end())
        ips.push_back({address, device.name, attached.contains(device.name)});
  return ips;
}

std::set<std::string> WayChecks::lost_ways() {
  const auto now = Clock::now();
  if (const int ifindex = parts_.object.take_unmanaged_device()) lost_ways_[ifindex] = now;
  std::erase_if(lost_ways_, [&](const auto& lost) { return now - lost.second > kLostWay; });
  const auto attached = parts_.network.attached();
  std::set<std::string> names;
  for (const auto& [ifindex, time] : lost_ways_)
    if (const std::string name = parts_.network.name_of(ifindex); !attached.contains(name)) names.insert(name);
  return names;
}

}  // namespace fairlead::daemon
