// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/route_lookup.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>

#include "userspace/host/attributes.h"
#include "userspace/host/next_hops.h"

namespace fairlead::host {
namespace {

// One route with all of its attributes takes some hundred bytes.
using Buffer = std::array<char, 8192>;

nlmsghdr* request_for(const Address& destination, unsigned flags, std::uint32_t sequence, Buffer& buffer) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = RTM_GETROUTE;
  message->nlmsg_flags = NLM_F_REQUEST;
  message->nlmsg_seq = sequence;
  auto* header = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(rtmsg)));
  header->rtm_family = static_cast<std::uint8_t>(destination.family);
  header->rtm_flags = flags;
  const std::size_t length = destination.family == Family::IPv4 ? 4 : 16;
  header->rtm_dst_len = static_cast<std::uint8_t>(length * 8);
  mnl_attr_put(message, RTA_DST, length, destination.bytes.data());
  return message;
}

int take_route(const nlmsghdr* message, void* data) {
  const auto* header = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
  const Attributes all = attributes(message, sizeof(rtmsg));
  auto& route = *static_cast<Route*>(data);
  if (const nlattr* device = get(all, RTA_OIF)) route.ifindex = static_cast<int>(mnl_attr_get_u32(device));
  route.source = address_of(get(all, RTA_PREFSRC), header->rtm_family);
  route.devices = next_hop_devices(all);
  return MNL_CB_STOP;
}

}  // namespace

Result<RouteLookup> RouteLookup::open() {
  Socket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC), mnl_socket_close);
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
    return make_error("open", "rtnetlink", errno);
  return RouteLookup(std::move(socket));
}

Result<Route> RouteLookup::to(const Address& destination) {
  auto route = ask(destination, 0);
  if (!route) return route;
  // The route as it was set up, with all its next hops.
  if (const auto whole = ask(destination, RTM_F_FIB_MATCH))
    route->devices.insert(whole->devices.begin(), whole->devices.end());
  return route;
}

Result<Route> RouteLookup::ask(const Address& destination, unsigned flags) {
  Buffer buffer;
  const nlmsghdr* request = request_for(destination, flags, ++sequence_, buffer);
  if (mnl_socket_sendto(socket_.get(), request, request->nlmsg_len) < 0) return make_error("ask", "rtnetlink", errno);
  return read_answer(destination);
}

Result<Route> RouteLookup::read_answer(const Address& destination) {
  Buffer buffer;
  Route route;
  const ssize_t length = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
  if (length < 0) return make_error("read", "rtnetlink", errno);
  if (mnl_cb_run(buffer.data(), static_cast<std::size_t>(length), sequence_, mnl_socket_get_portid(socket_.get()),
                 take_route, &route) < 0)
    return make_error("find the route to", destination.to_string(), errno);
  return route;
}

}  // namespace fairlead::host
