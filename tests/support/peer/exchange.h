// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio.hpp>
#include <chrono>
#include <string>

#include "tests/support/peer/peer.h"

namespace fairlead::peer {

// What became of one request. Either an error or an answer.
struct Outcome {
  boost::system::error_code error;
  std::string server;
  std::string seen_as;  // our address as the server saw it
  unsigned port = 0;    // of the server, as it says itself
};

// "refused", "timeout", "reset", "unreachable", "closed", or what strerror() says of it.
std::string kind_of(const boost::system::error_code& error);

// Sends `request` as a line (TCP) or a datagram (UDP) and reads the answer; the socket is connected already. An answer
// to something else is an error too (bad_message).
boost::asio::awaitable<Outcome> exchange(boost::asio::ip::tcp::socket& socket, std::string request);
boost::asio::awaitable<Outcome> exchange(boost::asio::ip::udp::socket& socket, std::string request);

// Without this a UDP socket is told of closed ports only, not of unreachable hosts; and of ICMP errors the socket's
// error queue then has the whole story.
void hear_all_errors(int socket);

// Either `work` ends in time, or it is cancelled and the outcome is timed_out.
boost::asio::awaitable<Outcome> within(std::chrono::milliseconds timeout, boost::asio::awaitable<Outcome> work);

}  // namespace fairlead::peer
