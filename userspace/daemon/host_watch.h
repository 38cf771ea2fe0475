// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>

#include "userspace/daemon/node_network.h"
#include "userspace/daemon/periodic.h"

namespace fairlead::daemon {

// Follows what the kernel says about this node's devices, addresses, routes and neighbours.
class HostWatch {
 public:
  // on_addresses: devices or addresses are not what they were.
  HostWatch(boost::asio::io_context& io, NodeNetwork& network, std::function<void()> on_addresses);
  ~HostWatch();

 private:
  void wait();
  void read();
  void failed(const Error& error);

  NodeNetwork& network_;
  std::function<void()> on_addresses_;
  boost::asio::posix::stream_descriptor notifications_;
  boost::asio::steady_timer retry_;
  std::string told_;  // what keeps it from reading; empty: nothing
  Periodic neighbours_;
};

}  // namespace fairlead::daemon
