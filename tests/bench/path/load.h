// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "tests/bench/path/histogram.h"
#include "tests/bench/path/socket.h"

namespace fairlead::bench {

// What a client does all the time, with so many sockets at once:
enum class Kind {
  ShortClientCloses,  // connects, asks, and closes when it has the answer
  ShortServerCloses,  // the same, and waits for the server to close
  Requests,           // asks over connections that stay
  Datagrams,          // asks over UDP sockets that stay
  ShortDatagrams,     // asks over a new UDP socket each time
  Download,           // reads what comes
  Upload,             // sends what fits
};

struct LoadOptions {
  Kind kind = Kind::Requests;
  Place to;  // the first port of a server
  std::chrono::milliseconds duration{10'000};
  unsigned sockets = 16;
};

struct Result {
  std::uint64_t failed = 0;  // connections and questions without an answer in time
  std::uint64_t bytes = 0;   // of streams
  Histogram times;           // of questions answered, connecting included where that is part of it
  std::chrono::duration<double> took{};
};

// How long a question may take, by TCP: three retransmissions of a SYN have passed by then.
constexpr std::chrono::seconds kPatience{8};
// UDP is not repeated by anybody.
constexpr std::chrono::seconds kDatagramPatience{1};

// One of the sockets.
class Worker {
 public:
  using Clock = std::chrono::steady_clock;

  virtual ~Worker() = default;
  virtual void start(std::uint64_t id, Clock::time_point now) = 0;
  virtual void handle(std::uint32_t events, Clock::time_point now) = 0;
  virtual void check_time(Clock::time_point now) = 0;  // every 50 ms or so
};

std::unique_ptr<Worker> make_request_worker(const LoadOptions& options, const Poll& poll, Result& result);
std::unique_ptr<Worker> make_stream_worker(const LoadOptions& options, const Poll& poll, Result& result);

Result run_load(const LoadOptions& options);

}  // namespace fairlead::bench
