// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/host_watch.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace fairlead::daemon {
namespace {

constexpr std::chrono::seconds kNeighbours{15};
constexpr std::chrono::seconds kRetry{1};

}  // namespace

HostWatch::HostWatch(boost::asio::io_context& io, NodeNetwork& network, std::function<void()> on_addresses)
    : network_(network),
      on_addresses_(std::move(on_addresses)),
      notifications_(io, network.fd()),
      retry_(io),
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
  if (!changes) return failed(changes.error());
  if (!std::exchange(told_, {}).empty()) spdlog::info("rtnetlink has been read again");
  if (changes->addresses) on_addresses_();
}

// Not at the next notification only, which may be long in coming.
void HostWatch::failed(const Error& error) {
  if (std::exchange(told_, error.message) != error.message) spdlog::error("{}; trying again", error.message);
  retry_.expires_after(kRetry);
  retry_.async_wait([this](auto cancelled) {
    if (!cancelled) read();
  });
}

}  // namespace fairlead::daemon
