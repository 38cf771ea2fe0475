// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/support/lab.h"
#include "tests/support/process.h"
#include "tests/support/socket.h"

// fairlead-peer's clients, for tests that need more than one request.
namespace fairlead::test {

using Counts = std::map<std::string, unsigned>;

struct AskReport {
  unsigned answered = 0;
  unsigned failed = 0;
  Counts servers;
  Counts failures;
  Counts seen_as;  // the client's address and port, as the servers saw it, without the port
};

struct AskPlan {
  unsigned count = 60;
  unsigned parallel = 8;
  unsigned size = 0;  // bytes of a request, at least
  std::chrono::milliseconds timeout{2000};
};

// So many requests, each from a new socket.
Result<AskReport> ask_many(const Lab& lab, const Host& from, Transport transport, const Endpoint& to,
                           const AskPlan& plan = {});

struct HeldConnection {
  std::uint16_t local_port = 0;
  std::string server;
  unsigned answers = 0;
  std::string broken;  // why, or empty
};

// Connections that are made one after the other until finish(), on which the server does all the speaking.
class Listening {
 public:
  struct Report {
    unsigned connections = 0;
    Counts broken;  // why
  };
  static Result<Listening> start(const Lab& lab, const Host& from, const Endpoint& to);

  // Hears out those that there are.
  Result<Report> finish();

 private:
  explicit Listening(Process process) : process_(std::move(process)) {}

  Process process_;
};

// Connections in use until finish(): of TCP, or UDP sockets that each ask the same address all the time.
class Hold {
 public:
  struct Plan {
    Transport transport = Transport::Tcp;
    std::chrono::milliseconds interval{50};   // between the requests of each
    std::chrono::milliseconds timeout{2000};  // without answer: broken
    bool idle = false;                        // each asks at the start and again in finish(), and never between
  };
  // Returns when all connections are established.
  static Result<Hold> start(const Lab& lab, const Host& from, const Endpoint& to, unsigned connections,
                            const Plan& plan);
  static Result<Hold> start(const Lab& lab, const Host& from, const Endpoint& to, unsigned connections) {
    return start(lab, from, to, connections, Plan());
  }

  Result<std::vector<HeldConnection>> finish();

 private:
  explicit Hold(Process process) : process_(std::move(process)) {}

  Process process_;
};

}  // namespace fairlead::test
