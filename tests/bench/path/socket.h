// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <string>

#include "userspace/util/address.h"
#include "userspace/util/fd.h"

// Non-blocking sockets of one thread. What fails here ends the program: there is nothing to measure then.
namespace fairlead::bench {

[[noreturn]] void die(const std::string& what);

struct Place {
  Address address;
  std::uint16_t port = 0;
};

Fd listen_at(int type, std::uint16_t port);  // on all addresses of both families
// May still be under way. Empty where the kernel has no port or no route.
Fd connect_to(int type, const Place& place);

class Poll {
 public:
  Poll();
  void watch(int fd, std::uint32_t events, std::uint64_t id) const;
  void change(int fd, std::uint32_t events, std::uint64_t id) const;
  // Waits 50 ms at most.
  void run_once(const std::function<void(std::uint64_t id, std::uint32_t events)>& handle) const;

 private:
  Fd epoll_;
};

}  // namespace fairlead::bench
