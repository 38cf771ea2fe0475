// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/host.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "userspace/host/netlink.h"

namespace fairlead::host {
namespace {

constexpr unsigned kGroups =
    RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
constexpr std::size_t kBuffer = 32768;
// Neighbours that answer: their MAC address may be used.
constexpr std::uint16_t kUsable = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;

using Attributes = std::map<std::uint16_t, const nlattr*>;

int collect(const nlattr* attribute, void* found) {
  (*static_cast<Attributes*>(found))[mnl_attr_get_type(attribute)] = attribute;
  return MNL_CB_OK;
}

Attributes attributes(const nlmsghdr* message, std::size_t header) {
  Attributes found;
  mnl_attr_parse(message, static_cast<unsigned>(header), collect, &found);
  return found;
}

Attributes nested(const nlattr* outer) {
  Attributes found;
  mnl_attr_parse_nested(outer, collect, &found);
  return found;
}

const nlattr* get(const Attributes& all, std::uint16_t type) {
  const auto it = all.find(type);
  return it == all.end() ? nullptr : it->second;
}

std::optional<Address> address_of(const nlattr* attribute, int family) {
  if (!attribute || (family != AF_INET && family != AF_INET6)) return std::nullopt;
  const std::size_t length = family == AF_INET ? 4 : 16;
  if (mnl_attr_get_payload_len(attribute) != length) return std::nullopt;
  Address address;
  address.family = static_cast<Family>(family);
  std::memcpy(address.bytes.data(), mnl_attr_get_payload(attribute), length);
  return address;
}

}  // namespace

const Address* preferred_address(const std::vector<Address>& addresses, Family family) {
  const auto it = std::find_if(addresses.begin(), addresses.end(), [&](const Address& address) {
    return address.family == family && !address.is_loopback() && !address.is_link_local();
  });
  return it == addresses.end() ? nullptr : &*it;
}

Host::Host(Host&& other) noexcept {
  *this = std::move(other);
}

Host& Host::operator=(Host&& other) noexcept {
  std::swap(notifications_, other.notifications_);
  devices_ = std::move(other.devices_);
  addresses_ = std::move(other.addresses_);
  neighbours_ = std::move(other.neighbours_);
  default_routes_ = std::move(other.default_routes_);
  return *this;
}

Host::~Host() {
  if (notifications_) mnl_socket_close(notifications_);
}

Result<Host> Host::open() {
  Host host;
  host.notifications_ = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (!host.notifications_) return make_error("open", "rtnetlink", errno);
  if (mnl_socket_bind(host.notifications_, kGroups, MNL_SOCKET_AUTOPID) < 0)
    return make_error("subscribe to", "rtnetlink", errno);
  if (auto dumped = host.dump(); !dumped) return dumped.error();
  return host;
}

int Host::fd() const {
  return mnl_socket_get_fd(notifications_);
}

Result<> Host::dump() {
  devices_.clear();
  addresses_.clear();
  neighbours_.clear();
  default_routes_.clear();
  const auto visit = [this](const nlmsghdr* message) {
    Changes ignored;
    handle(message, ignored);
  };
  // All zero: any family, any device.
  constexpr std::array<std::byte, 64> kAny{};
  for (const auto& [type, header] : {std::pair{RTM_GETLINK, sizeof(ifinfomsg)},
                                     {RTM_GETADDR, sizeof(ifaddrmsg)},
                                     {RTM_GETROUTE, sizeof(rtmsg)},
                                     {RTM_GETNEIGH, sizeof(ndmsg)}})
    if (auto dumped = netlink_dump(type, std::span(kAny).first(header), visit); !dumped) return dumped;
  return {};
}

Result<Host::Changes> Host::read() {
  Changes changes;
  std::vector<char> buffer(kBuffer);
  for (;;) {
    const ssize_t length = mnl_socket_recvfrom(notifications_, buffer.data(), buffer.size());
    if (length < 0) {
      if (errno == EAGAIN || errno == EINTR) return changes;
      if (errno != ENOBUFS) return make_error("read", "rtnetlink", errno);
      if (auto dumped = dump(); !dumped) return dumped.error();
      changes = {true, true};
      continue;
    }
    int left = static_cast<int>(length);
    for (const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data()); mnl_nlmsg_ok(message, left);
         message = mnl_nlmsg_next(message, &left))
      handle(message, changes);
  }
}

void Host::handle(const nlmsghdr* message, Changes& changes) {
  switch (message->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      if (handle_link(message)) changes = {true, true};
      break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      if (handle_address(message)) changes = {true, true};
      break;
    case RTM_NEWROUTE:
      handle_route(message);
      changes.routes = true;
      break;
    case RTM_DELROUTE:
      changes.routes = true;
      break;
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      changes.routes = handle_neighbour(message) || changes.routes;
      break;
    default:
      break;
  }
}

bool Host::handle_link(const nlmsghdr* message) {
  const auto* link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
  // Bridges report their ports in the same kind of message.
  if (link->ifi_family != AF_UNSPEC) return false;
  if (message->nlmsg_type == RTM_DELLINK) {
    addresses_.erase(link->ifi_index);
    return devices_.erase(link->ifi_index) > 0;
  }
  const Attributes all = attributes(message, sizeof(ifinfomsg));
  Device device;
  device.ifindex = link->ifi_index;
  device.ethernet = link->ifi_type == ARPHRD_ETHER;
  device.up = link->ifi_flags & IFF_UP;
  if (const nlattr* name = get(all, IFLA_IFNAME)) device.name = mnl_attr_get_str(name);
  if (const nlattr* info = get(all, IFLA_LINKINFO)) {
    const Attributes details = nested(info);
    const nlattr *kind = get(details, IFLA_INFO_KIND), *data = get(details, IFLA_INFO_DATA);
    if (kind) device.kind = mnl_attr_get_str(kind);
    if (data && device.kind == "vlan") {
      const Attributes vlan = nested(data);
      if (const nlattr* id = get(vlan, IFLA_VLAN_ID)) device.vlan_id = mnl_attr_get_u16(id);
      if (const nlattr* parent = get(all, IFLA_LINK)) device.parent = static_cast<int>(mnl_attr_get_u32(parent));
    }
  }
  Device& known = devices_[device.ifindex];
  const Device before = std::exchange(known, std::move(device));
  collect_addresses(known.ifindex);
  return known != before;
}

bool Host::handle_address(const nlmsghdr* message) {
  const auto* header = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(message));
  const Attributes all = attributes(message, sizeof(ifaddrmsg));
  // On point-to-point links IFA_ADDRESS is the peer's; ours is IFA_LOCAL, which IPv6 leaves out where there is no peer.
  auto address = address_of(get(all, IFA_LOCAL), header->ifa_family);
  if (!address) address = address_of(get(all, IFA_ADDRESS), header->ifa_family);
  if (!address) return false;
  std::uint32_t flags = header->ifa_flags;
  if (const nlattr* extended = get(all, IFA_FLAGS)) flags = mnl_attr_get_u32(extended);

  const int ifindex = static_cast<int>(header->ifa_index);
  auto& addresses = addresses_[ifindex];
  std::erase_if(addresses, [&](const AddressState& state) { return state.address == *address; });
  const bool usable = !(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
  if (message->nlmsg_type == RTM_NEWADDR && usable)
    addresses.push_back({*address, (flags & (IFA_F_SECONDARY | IFA_F_DEPRECATED)) != 0});
  const auto device = devices_.find(ifindex);
  if (device == devices_.end()) return false;
  const std::vector<Address> before = device->second.addresses;
  collect_addresses(ifindex);
  return device->second.addresses != before;
}

void Host::collect_addresses(int ifindex) {
  std::vector<AddressState> states = addresses_[ifindex];
  const auto last = [](const AddressState& state) { return state.secondary || state.address.is_link_local(); };
  std::stable_sort(states.begin(), states.end(), [&](auto& a, auto& b) { return last(a) < last(b); });
  std::vector<Address>& addresses = devices_[ifindex].addresses;
  addresses.clear();
  for (const AddressState& state : states)
    addresses.push_back(state.address);
}

void Host::handle_route(const nlmsghdr* message) {
  const auto* route = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
  if (route->rtm_dst_len != 0 || route->rtm_table != RT_TABLE_MAIN || route->rtm_type != RTN_UNICAST) return;
  const Attributes all = attributes(message, sizeof(rtmsg));
  if (const nlattr* device = get(all, RTA_OIF)) default_routes_.insert(static_cast<int>(mnl_attr_get_u32(device)));
}

// Whether a MAC address that somebody may have cached is not good any more.
bool Host::handle_neighbour(const nlmsghdr* message) {
  const auto* header = static_cast<const ndmsg*>(mnl_nlmsg_get_payload(message));
  const Attributes all = attributes(message, sizeof(ndmsg));
  const auto address = address_of(get(all, NDA_DST), header->ndm_family);
  if (!address) return false;
  const auto key = std::pair{header->ndm_ifindex, *address};
  const nlattr* mac = get(all, NDA_LLADDR);
  const bool usable =
      message->nlmsg_type == RTM_NEWNEIGH && header->ndm_state & kUsable && mac && mnl_attr_get_payload_len(mac) == 6;
  const auto known = neighbours_.find(key);
  if (!usable) {
    if (known == neighbours_.end()) return false;
    neighbours_.erase(known);
    return true;
  }
  Neighbour neighbour;
  std::memcpy(neighbour.mac.data(), mnl_attr_get_payload(mac), 6);
  neighbour.stale = header->ndm_state & NUD_STALE;
  const bool changed = known != neighbours_.end() && known->second.mac != neighbour.mac;
  neighbours_[key] = neighbour;
  return changed;
}

std::set<Address> Host::addresses() const {
  std::set<Address> all;
  for (const auto& [ifindex, device] : devices_)
    for (const Address& address : device.addresses)
      if (!address.is_loopback() && !address.is_link_local()) all.insert(address);
  return all;
}

void Host::confirm_neighbours(const std::set<int>& ifindices) const {
  mnl_socket* socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (!socket) return;
  std::vector<char> buffer(1024);
  for (const auto& [key, neighbour] : neighbours_) {
    const auto& [ifindex, address] = key;
    if (!neighbour.stale || !ifindices.contains(ifindex)) continue;
    nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
    message->nlmsg_type = RTM_NEWNEIGH;
    message->nlmsg_flags = NLM_F_REQUEST;
    auto* header = static_cast<ndmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ndmsg)));
    header->ndm_family = static_cast<std::uint8_t>(address.family);
    header->ndm_ifindex = ifindex;
    header->ndm_state = NUD_NONE;
    header->ndm_flags = NTF_USE;
    mnl_attr_put(message, NDA_DST, address.family == Family::IPv4 ? 4 : 16, address.bytes.data());
    mnl_socket_sendto(socket, message, message->nlmsg_len);
  }
  mnl_socket_close(socket);
}

}  // namespace fairlead::host
