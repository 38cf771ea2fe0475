// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/neighbours.h"

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <cstring>
#include <vector>

#include "userspace/host/attributes.h"

namespace fairlead::host {
namespace {

// Neighbours that answer: their MAC address may be used.
constexpr std::uint16_t kUsable = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;

// As a packet to it would: the kernel asks whether it is still there.
nlmsghdr* use_neighbour(std::vector<char>& buffer, int ifindex, const Address& address) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = RTM_NEWNEIGH;
  message->nlmsg_flags = NLM_F_REQUEST;
  auto* header = static_cast<ndmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ndmsg)));
  header->ndm_family = static_cast<std::uint8_t>(address.family);
  header->ndm_ifindex = ifindex;
  header->ndm_state = NUD_NONE;
  header->ndm_flags = NTF_USE;
  mnl_attr_put(message, NDA_DST, address.family == Family::IPv4 ? 4 : 16, address.bytes.data());
  return message;
}

}  // namespace

bool Neighbours::handle(const nlmsghdr* message) {
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

void Neighbours::confirm(const std::set<int>& ifindices) const {
  mnl_socket* socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (!socket) return;
  std::vector<char> buffer(1024);
  for (const auto& [key, neighbour] : neighbours_) {
    const auto& [ifindex, address] = key;
    if (!neighbour.stale || !ifindices.contains(ifindex)) continue;
    const nlmsghdr* message = use_neighbour(buffer, ifindex, address);
    mnl_socket_sendto(socket, message, message->nlmsg_len);
  }
  mnl_socket_close(socket);
}

}  // namespace fairlead::host
