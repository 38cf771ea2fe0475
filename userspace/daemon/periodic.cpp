// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/periodic.h"

namespace fairlead::daemon {

Periodic::Periodic(boost::asio::io_context& io, std::chrono::milliseconds interval, std::function<void()> action)
    : timer_(io), interval_(interval), action_(std::move(action)) {
  wait();
}

void Periodic::wait() {
  timer_.expires_after(interval_);
  timer_.async_wait([this](auto error) {
    if (error) return;
    action_();
    wait();
  });
}

}  // namespace fairlead::daemon
