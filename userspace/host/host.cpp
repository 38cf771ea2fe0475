// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/host.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <span>
#include <utility>
#include <vector>

#include "userspace/host/netlink.h"

namespace fairlead::host {
namespace {

constexpr unsigned kGroups = RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
                             RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE | 1u << (RTNLGRP_IPV6_RULE - 1);
constexpr std::size_t kBuffer = 32768;
// While it starts nobody waits for its event loop.
constexpr std::chrono::seconds kStartPatience{10};

template <class Header, class Table, class Handle>
Result<Table> read_all(int type, const Table& begin, Handle handle, std::chrono::seconds patience) {
  constexpr Header kAny{};  // of any family and device
  return netlink_dump(
      type, std::as_bytes(std::span(&kAny, 1)), begin,
      [handle](Table& table, const nlmsghdr* message) { (table.*handle)(message); }, patience);
}

}  // namespace

Host::Host(Host&& other) noexcept {
  *this = std::move(other);
}

Host& Host::operator=(Host&& other) noexcept {
  std::swap(notifications_, other.notifications_);
  state_ = std::move(other.state_);
  overflowed_ = other.overflowed_;
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
  auto state = dump(kStartPatience);
  if (!state) return state.error();
  host.state_ = *std::move(state);
  return host;
}

int Host::fd() const {
  return mnl_socket_get_fd(notifications_);
}

// What goes or comes between two of these is told by a notification.
Result<Host::State> Host::dump(std::chrono::seconds patience) {
  auto devices = read_all<ifinfomsg>(RTM_GETLINK, Devices(), &Devices::handle_link, patience);
  if (!devices) return devices.error();
  devices = read_all<ifaddrmsg>(RTM_GETADDR, *devices, &Devices::handle_address, patience);
  if (!devices) return devices.error();
  auto routes = read_all<rtmsg>(RTM_GETROUTE, DefaultRoutes(), &DefaultRoutes::handle, patience);
  if (!routes) return routes.error();
  auto neighbours = read_all<ndmsg>(RTM_GETNEIGH, Neighbours(), &Neighbours::handle, patience);
  if (!neighbours) return neighbours.error();
  return State{*std::move(devices), *std::move(neighbours), *std::move(routes)};
}

Result<Host::Changes> Host::read() {
  Changes changes;
  if (auto drained = read_notifications(changes); !drained) return drained.error();
  if (!overflowed_) return changes;
  // Only now: what stood in the queue is older than what is read here.
  auto state = dump(kDumpPatience);
  if (!state) return state.error();
  state_ = *std::move(state);
  overflowed_ = false;
  return Changes{true, true, true};
}

Result<> Host::read_notifications(Changes& changes) {
  std::vector<char> buffer(kBuffer);
  for (;;) {
    const ssize_t length = mnl_socket_recvfrom(notifications_, buffer.data(), buffer.size());
    if (length < 0) {
      if (errno == EAGAIN || errno == EINTR) return {};
      if (errno != ENOBUFS) return make_error("read", "rtnetlink", errno);
      overflowed_ = true;
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
      if (state_.devices.handle_link(message)) changes = {true, true, true};
      break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      if (state_.devices.handle_address(message)) changes = {true, true, true};
      break;
    case RTM_NEWROUTE:
      changes.devices = state_.default_routes.handle(message) || changes.devices;
      changes.routes = changes.hops = true;
      break;
    case RTM_DELROUTE:
    case RTM_NEWRULE:
    case RTM_DELRULE:
      changes.routes = changes.hops = true;
      break;
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      changes.hops = state_.neighbours.handle(message) || changes.hops;
      break;
    default:
      break;
  }
}

}  // namespace fairlead::host
