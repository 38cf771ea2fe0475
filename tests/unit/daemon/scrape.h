// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <string>

#include "userspace/daemon/metrics.h"

namespace fairlead::daemon {

// The text that /metrics would answer.
inline std::string scrape(const Metrics& metrics) {
  std::string text;
  boost::asio::io_context io;
  boost::asio::co_spawn(io, metrics.text(),
                        [&](const std::exception_ptr&, std::string made) { text = std::move(made); });
  io.run();
  return text;
}

}  // namespace fairlead::daemon
