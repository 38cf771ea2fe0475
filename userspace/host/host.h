// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <set>

#include "userspace/host/default_routes.h"
#include "userspace/host/devices.h"
#include "userspace/host/neighbours.h"
#include "userspace/util/result.h"

struct mnl_socket;
struct nlmsghdr;

namespace fairlead::host {

// What the kernel says about devices, addresses, routes and neighbours, kept current by rtnetlink notifications. Not
// thread safe.
class Host {
 public:
  // Subscribes, then reads the present state, so that nothing is missed in between.
  static Result<Host> open();
  Host(Host&&) noexcept;
  Host& operator=(Host&&) noexcept;
  ~Host();

  // Readable when there is something to read.
  int fd() const;

  struct Changes {
    bool devices = false;  // devices, addresses, or which devices have a default route
    bool routes = false;   // what ways are found by: those, routes or rules
    bool hops = false;     // what next hops were computed from: all that, or neighbours
  };
  // Reads all pending notifications. After an overflow everything is read anew and counts as changed; where that fails
  // all stays as it was, and the next call tries again.
  Result<Changes> read();

  const std::map<int, Device>& devices() const { return state_.devices.all(); }
  const std::set<int>& default_route_devices() const { return state_.default_routes.devices(); }
  const std::set<int>& ipv4_default_route_devices() const { return state_.default_routes.ipv4_devices(); }
  std::set<Address> addresses() const { return state_.devices.addresses(); }

  void confirm_neighbours(const std::set<int>& ifindices) const { state_.neighbours.confirm(ifindices); }

 private:
  struct State {
    Devices devices;
    Neighbours neighbours;
    DefaultRoutes default_routes;
  };

  Host() = default;
  static Result<State> dump(std::chrono::seconds patience);
  Result<> read_notifications(Changes& changes);
  void handle(const nlmsghdr* message, Changes& changes);

  mnl_socket* notifications_ = nullptr;
  State state_;
  bool overflowed_ = false;  // since it was read as a whole
};

}  // namespace fairlead::host
