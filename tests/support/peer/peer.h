// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The other end of every test and of the demo: a server that says what it saw, and clients that count what they got.
namespace fairlead::peer {

struct Endpoint {
  boost::asio::ip::address address;
  std::uint16_t port = 0;
};

// "192.0.2.1:80", "[2001:db8::1]:80", or "80" alone for all addresses of both families.
std::optional<Endpoint> parse_endpoint(std::string_view text);

std::string to_text(const Endpoint& endpoint);

struct ServeOptions {
  std::string name;
  std::vector<Endpoint> tcp;
  std::vector<Endpoint> udp;
};

enum class Protocol { Tcp, Udp };

struct AskOptions {
  Protocol protocol = Protocol::Tcp;
  Endpoint to;
  unsigned count = 1;
  unsigned parallel = 1;
  unsigned size = 0;  // bytes of a request, at least
  std::chrono::milliseconds timeout{1000};
  bool json = false;
};

struct HoldOptions {
  Protocol protocol = Protocol::Tcp;
  Endpoint to;
  unsigned connections = 1;
  std::chrono::milliseconds duration{1000};
  std::chrono::milliseconds interval{100};
  std::chrono::milliseconds timeout{2000};
  bool idle = false;  // ask only when all begins and when it ends
  bool json = false;
};

struct ListenOptions {
  Endpoint to;
  unsigned lines = 40;  // that each connection is to be sent
  std::chrono::milliseconds pause{100};
  std::chrono::milliseconds every{50};
  std::chrono::milliseconds timeout{10000};
};

struct ProbeOptions {
  std::string plan;       // a file: a JSON object a line, see probe.cpp
  unsigned parallel = 1;  // tries that are busy at once
  std::chrono::milliseconds timeout{1000};
};

struct FloodOptions {
  Protocol protocol = Protocol::Tcp;
  Endpoint to;
  unsigned rate = 0;  // packets a second; 0: as many as go out
};

// Each runs to its end and returns the exit status of the program.
int serve(const ServeOptions& options);
int ask(const AskOptions& options);
int hold(const HoldOptions& options);
int listen(const ListenOptions& options);
int probe(const ProbeOptions& options);
int flood(const FloodOptions& options);

}  // namespace fairlead::peer
