// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/socket.h"

namespace fairlead::test {

// What `fairlead-peer serve` says of a request: who answered, and which addresses it saw on the packets.
struct Answer {
  std::string server;
  Endpoint peer;
  Endpoint local;
  std::uint64_t count = 0;  // requests that this server has had
  std::string echo;
};

Result<Answer> parse_answer(std::string_view line);

// One exchange over a connected socket.
Result<Answer> ask_over(const Fd& socket, std::string_view request = "?");

// One exchange over a new socket in that namespace.
Result<Answer> ask_from(const std::string& netns, Transport transport, const Endpoint& to,
                        std::chrono::milliseconds patience = kPatience);

}  // namespace fairlead::test
