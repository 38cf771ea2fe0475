// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/host.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>
#include <span>
#include <utility>
#include <vector>

#include "userspace/host/netlink.h"

namespace fairlead::host {
namespace {

constexpr unsigned kGroups =
    RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
constexpr std::size_t kBuffer = 32768;

}  // namespace

Host::Host(Host&& other) noexcept {
  *this = std::move(other);
}

Host& Host::operator=(Host&& other) noexcept {
  std::swap(notifications_, other.notifications_);
  state_ = std::move(other.state_);
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
  state_ = {};
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
      if (state_.devices.handle_link(message)) changes = {true, true};
      break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      if (state_.devices.handle_address(message)) changes = {true, true};
      break;
    case RTM_NEWROUTE:
      state_.default_routes.handle(message);
      changes.routes = true;
      break;
    case RTM_DELROUTE:
      changes.routes = true;
      break;
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      changes.routes = state_.neighbours.handle(message) || changes.routes;
      break;
    default:
      break;
  }
}

}  // namespace fairlead::host
