// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/devices.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "userspace/host/attributes.h"

namespace fairlead::host {
namespace {

// What only VLAN devices have.
void read_vlan(const Attributes& all, const nlattr* data, Device& device) {
  const Attributes vlan = nested(data);
  const nlattr *id = get(vlan, IFLA_VLAN_ID), *protocol = get(vlan, IFLA_VLAN_PROTOCOL);
  if (id && (!protocol || mnl_attr_get_u16(protocol) == htons(ETH_P_8021Q))) device.vlan_id = mnl_attr_get_u16(id);
  if (const nlattr* parent = get(all, IFLA_LINK)) device.parent = static_cast<int>(mnl_attr_get_u32(parent));
}

Device device_of(const nlmsghdr* message, const ifinfomsg& link) {
  const Attributes all = attributes(message, sizeof(ifinfomsg));
  Device device;
  device.ifindex = link.ifi_index;
  device.ethernet = link.ifi_type == ARPHRD_ETHER;
  device.loopback = link.ifi_flags & IFF_LOOPBACK;
  device.up = link.ifi_flags & IFF_UP;
  if (const nlattr* name = get(all, IFLA_IFNAME)) device.name = mnl_attr_get_str(name);
  if (const nlattr* mac = get(all, IFLA_ADDRESS); mac && mnl_attr_get_payload_len(mac) == device.mac.size())
    std::memcpy(device.mac.data(), mnl_attr_get_payload(mac), device.mac.size());
  const nlattr* info = get(all, IFLA_LINKINFO);
  if (!info) return device;
  const Attributes details = nested(info);
  const nlattr *kind = get(details, IFLA_INFO_KIND), *data = get(details, IFLA_INFO_DATA);
  if (kind) device.kind = mnl_attr_get_str(kind);
  if (data && device.kind == "vlan") read_vlan(all, data, device);
  return device;
}

std::uint32_t flags_of(const Attributes& all, const ifaddrmsg& header) {
  const nlattr* extended = get(all, IFA_FLAGS);
  return extended ? mnl_attr_get_u32(extended) : header.ifa_flags;
}

}  // namespace

const Address* preferred_address(const std::vector<Address>& addresses, Family family) {
  const auto it = std::find_if(addresses.begin(), addresses.end(), [&](const Address& address) {
    return address.family == family && !address.is_loopback() && !address.is_link_local();
  });
  return it == addresses.end() ? nullptr : &*it;
}

bool Devices::handle_link(const nlmsghdr* message) {
  const auto* link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
  // Bridges report their ports in the same kind of message.
  if (link->ifi_family != AF_UNSPEC) return false;
  if (message->nlmsg_type == RTM_DELLINK) {
    addresses_.erase(link->ifi_index);
    return devices_.erase(link->ifi_index) > 0;
  }
  Device& known = devices_[link->ifi_index];
  const Device before = std::exchange(known, device_of(message, *link));
  for (const AddressState& state : addresses_[link->ifi_index])
    known.addresses.push_back(state.address);
  return known != before;
}

bool Devices::handle_address(const nlmsghdr* message) {
  const auto* header = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(message));
  const Attributes all = attributes(message, sizeof(ifaddrmsg));
  // On point-to-point links IFA_ADDRESS is the peer's; ours is IFA_LOCAL, which IPv6 leaves out where there is no peer.
  auto address = address_of(get(all, IFA_LOCAL), header->ifa_family);
  if (!address) address = address_of(get(all, IFA_ADDRESS), header->ifa_family);
  if (!address) return false;
  const std::uint32_t flags = flags_of(all, *header);
  const int ifindex = static_cast<int>(header->ifa_index);
  if (message->nlmsg_type != RTM_NEWADDR || flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))
    return remove_address(ifindex, *address);
  return add_address(ifindex, {*address, flags & (IFA_F_SECONDARY | IFA_F_DEPRECATED) || address->is_link_local()});
}

std::vector<Address>* Devices::addresses_of(int ifindex) {
  const auto device = devices_.find(ifindex);
  return device == devices_.end() ? nullptr : &device->second.addresses;
}

bool Devices::add_address(int ifindex, const AddressState& state) {
  std::vector<AddressState>& states = addresses_[ifindex];
  // The kernel tells of it again when its lifetime is extended.
  if (std::find(states.begin(), states.end(), state) != states.end()) return false;
  remove_address(ifindex, state.address);
  const auto at =
      state.last ? states.end() : std::find_if(states.begin(), states.end(), [](auto& s) { return s.last; });
  const auto place = at - states.begin();
  states.insert(at, state);
  std::vector<Address>* const addresses = addresses_of(ifindex);
  if (addresses) addresses->insert(addresses->begin() + place, state.address);
  return addresses;
}

bool Devices::remove_address(int ifindex, const Address& address) {
  std::vector<AddressState>& states = addresses_[ifindex];
  const auto known = std::find_if(states.begin(), states.end(), [&](auto& state) { return state.address == address; });
  if (known == states.end()) return false;
  const auto place = known - states.begin();
  states.erase(known);
  std::vector<Address>* const addresses = addresses_of(ifindex);
  if (addresses) addresses->erase(addresses->begin() + place);
  return addresses;
}

std::set<Address> Devices::addresses() const {
  std::set<Address> all;
  for (const auto& [ifindex, device] : devices_)
    for (const Address& address : device.addresses)
      if (!address.is_loopback() && !address.is_link_local()) all.insert(address);
  return all;
}

}  // namespace fairlead::host
