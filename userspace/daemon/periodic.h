// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>

namespace fairlead::daemon {

// Does something again and again on the event loop, the first time after one interval, until it is destroyed.
class Periodic {
 public:
  Periodic(boost::asio::io_context& io, std::chrono::milliseconds interval, std::function<void()> action);

 private:
  void wait();

  boost::asio::steady_timer timer_;
  std::chrono::milliseconds interval_;
  std::function<void()> action_;
};

}  // namespace fairlead::daemon
