// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <set>

#include "userspace/util/address.h"
#include "userspace/util/result.h"

struct mnl_socket;
struct nlmsghdr;

namespace fairlead::host {

// The way that what this node itself sends to an address takes.
struct Route {
  int ifindex = 0;
  std::optional<Address> source;  // what it is sent from
  std::set<int> devices;          // that other flows there may take, and that one
};

// Asks the kernel for routes, one at a time. Not thread safe.
class RouteLookup {
 public:
  static Result<RouteLookup> open();

  // An error where there is no way, with the kernel's reason.
  Result<Route> to(const Address& destination);

 private:
  using Socket = std::unique_ptr<mnl_socket, int (*)(mnl_socket*)>;

  explicit RouteLookup(Socket socket) : socket_(std::move(socket)) {}
  Result<Route> ask(const Address& destination, unsigned flags);
  Result<Route> read_answer(const Address& destination);

  Socket socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace fairlead::host
