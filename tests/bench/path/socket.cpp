// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/path/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>

namespace fairlead::bench {
namespace {

constexpr int kNonBlocking = SOCK_NONBLOCK | SOCK_CLOEXEC;

epoll_event event_of(std::uint32_t events, std::uint64_t id) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  return event;
}

void set(const Fd& socket, int level, int option) {
  const int on = 1;
  if (setsockopt(socket.get(), level, option, &on, sizeof(on))) die("set a socket's option");
}

sockaddr_in6 mapped(const Place& place) {
  sockaddr_in6 name{};
  name.sin6_family = AF_INET6;
  name.sin6_port = htons(place.port);
  const std::string text = (place.address.family == Family::IPv4 ? "::ffff:" : "") + place.address.to_string();
  inet_pton(AF_INET6, text.c_str(), &name.sin6_addr);
  return name;
}

}  // namespace

void die(const std::string& what) {
  std::cerr << "bench_path: " << what << ": " << std::strerror(errno) << "\n";
  std::exit(1);
}

Fd listen_at(int type, std::uint16_t port) {
  Fd socket(::socket(AF_INET6, type | kNonBlocking, 0));
  if (!socket) die("make a socket");
  set(socket, SOL_SOCKET, SO_REUSEADDR);
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(port);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(any))) die("bind " + std::to_string(port));
  if (type == SOCK_STREAM && listen(socket.get(), 4096)) die("listen at " + std::to_string(port));
  return socket;
}

Fd connect_to(int type, const Place& place) {
  Fd socket(::socket(AF_INET6, type | kNonBlocking, 0));
  if (!socket) die("make a socket");
  if (type == SOCK_STREAM) set(socket, IPPROTO_TCP, TCP_NODELAY);
  const sockaddr_in6 name = mapped(place);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) && errno != EINPROGRESS) return {};
  return socket;
}

Poll::Poll() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) die("make an epoll");
}

void Poll::watch(int fd, std::uint32_t events, std::uint64_t id) const {
  epoll_event event = event_of(events, id);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event)) die("watch a socket");
}

void Poll::change(int fd, std::uint32_t events, std::uint64_t id) const {
  epoll_event event = event_of(events, id);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event)) die("watch a socket");
}

void Poll::run_once(const std::function<void(std::uint64_t, std::uint32_t)>& handle) const {
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 50);
  if (count < 0 && errno != EINTR) die("wait for sockets");
  for (int i = 0; i < count; ++i)
    handle(events[static_cast<std::size_t>(i)].data.u64, events[static_cast<std::size_t>(i)].events);
}

}  // namespace fairlead::bench
