// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "userspace/kube/api/client.h"
#include "userspace/kube/api/pace.h"
#include "userspace/model/name.h"

namespace fairlead::kube {

// A warning about an object, for whoever looks at it with kubectl.
struct Warning {
  std::string kind;  // of the object
  std::string api_version;
  model::Name name;
  std::string uid;
  std::string reason;  // one word in CamelCase
  std::string message;
};

// Writes warnings to the API server as Events (core/v1), in the background and in moderation: the same warning once an
// hour, no matter how many nodes have it, because its name says what it is and the second to write it finds it there; a
// few an hour about one object; a few at once and then one every two seconds. What can't be written is tried again
// until too much waits, and then dropped.
//
// Everything happens on the io_context's thread, which must not run after this is gone.
class EventRecorder {
 public:
  struct Options {
    std::string node_name;
    Backoff::Limits backoff = {std::chrono::seconds(1), std::chrono::minutes(2)};
  };
  EventRecorder(boost::asio::io_context& io, Access access, Options options);

  void start();
  void warn(Warning warning);

 private:
  using Told = std::map<std::string, Clock::time_point>;  // by the event's name

  static void forget(Told& told, Clock::time_point now);
  // Objects that nothing is told of any more, once in a while: a look at all of them for each warning would be a look
  // at ten thousand for ten thousand warnings.
  void forget(Clock::time_point now);
  bool is_new(const Warning& warning, const std::string& event, Clock::time_point now);
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> wait_for_work();
  boost::asio::awaitable<bool> write(const Warning& warning);
  std::string to_json(const Warning& warning) const;

  boost::asio::io_context& io_;
  Options options_;
  Client client_;
  Backoff backoff_;
  std::mt19937 random_{std::random_device{}()};
  std::deque<Warning> waiting_;
  std::map<std::string, Told> told_;  // by the object's name and uid
  Clock::time_point forgot_at_;
  boost::asio::steady_timer work_;  // expires when there is something to write
};

}  // namespace fairlead::kube
