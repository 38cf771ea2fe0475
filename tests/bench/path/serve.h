// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace fairlead::bench {

// What a port does, by its distance from the first. A request and its answer are messages of kMessage bytes.
enum Port : std::uint16_t {
  kAnswer,      // TCP: answers every request until the client closes. UDP: answers every datagram
  kAnswerOnce,  // TCP: answers one request, and closes first
  kSource,      // TCP: sends for ever
  kSink,        // TCP: reads for ever
  kPorts,
};
constexpr unsigned kMessage = 64;

// Serves until it is killed; says "serving" when it listens.
[[noreturn]] void serve(std::uint16_t first_port);

}  // namespace fairlead::bench
