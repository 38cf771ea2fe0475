// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio.hpp>
#include <chrono>
#include <string>

#include "tests/support/peer/peer.h"

namespace fairlead::peer {

// One request from a new socket, and what exactly became of it.
struct Attempt {
  std::string answer;   // "SERVER:PORT saw ADDRESS", or empty
  std::string failure;  // "rst", "icmp-port-unreachable from ADDRESS", "silence", "connect: ...", ...; or empty
  std::chrono::microseconds took{};
};

boost::asio::awaitable<Attempt> attempt(Protocol protocol, Endpoint to, std::chrono::milliseconds timeout);

}  // namespace fairlead::peer
