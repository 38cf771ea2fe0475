// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/host_watch.h"

#include <spdlog/spdlog.h>

namespace fairlead::daemon {
namespace {

constexpr std::chrono::seconds kNeighbours{15};

}  // namespace

HostWatch::HostWatch(boost::asio::io_context& io, NodeNetwork& network, std::function<void()> on_addresses)
    : network_(network),
      on_addresses_(std::move(on_addresses)),
      notifications_(io, network.fd()),
      neighbours_(io, kNeighbours, [this] { network_.confirm_neighbours(); }) {
  wait();
}

// The descriptor is the network's.
HostWatch::~HostWatch() {
  notifications_.release();
}

void HostWatch::wait() {
  notifications_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](auto error) {
    if (error) return;
    read();
    wait();
  });
}

void HostWatch::read() {
  const auto changes = network_.read();
  if (!changes)
    spdlog::error("{}", changes.error().message);
  else if (changes->addresses)
    on_addresses_();
}

}  // namespace fairlead::daemon
