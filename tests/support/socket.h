// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/util/address.h"
#include "userspace/util/fd.h"
#include "userspace/util/result.h"

// Blocking sockets with a time limit, for tests that read like the story they tell. An Error's code is the errno;
// ETIMEDOUT stands for every limit that passed, 0 for a connection that the other end closed.
namespace fairlead::test {

enum class Transport { Tcp, Udp };

struct Endpoint {
  Address address;
  std::uint16_t port = 0;

  std::string to_string() const { return endpoint_text(address, port); }
  auto operator<=>(const Endpoint&) const = default;
};

constexpr std::chrono::milliseconds kPatience{2000};

// Connected both ways, so that a UDP socket hears of refusals and takes answers from nobody else. `from` gives the
// local address, or with a port only that; such a port can be used again at once.
Result<Fd> connect_to(Transport transport, const Endpoint& to, std::optional<Endpoint> from = {},
                      std::chrono::milliseconds patience = kPatience);

// A listening TCP socket, or a UDP socket, that nobody serves unless the test does.
Result<Fd> listen_at(Transport transport, const Endpoint& where);
Result<Fd> accept_at(const Fd& listener);

// A line, without its end, or a datagram: one socket carries one at a time in each direction.
Result<> send_line(const Fd& socket, std::string_view line);
Result<std::string> receive_line(const Fd& socket);

// Sends one and returns what comes back.
Result<std::string> exchange(const Fd& socket, std::string_view request);

Result<Endpoint> local_endpoint(const Fd& socket);

}  // namespace fairlead::test
