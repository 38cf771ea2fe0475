// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "userspace/kube/api/json_stream.h"
#include "userspace/kube/api/listener.h"
#include "userspace/kube/api/pace.h"
#include "userspace/kube/api/transport.h"
#include "userspace/util/result.h"

namespace fairlead::kube {

// What is followed: the objects of one resource that match the selectors.
struct Resource {
  std::string path;            // "/api/v1/services"
  std::string label_selector;  // empty: all
  std::string field_selector;  // empty: all
};

// Follows a resource: a list, then a watch from there, resumed where it broke off, and a new list when the server has
// forgotten the place. No change is passed over. Never asks faster than its backoff allows, and waits as long as the
// server says. The listener is told that all is well again when a watch stands, and not before.
//
// Lists are asked for so that the server can answer them from memory, whole, however many nodes ask at once: the first
// as it knows them, others no older than what the listener knows, so that it never goes back in time. Where that cannot
// be had, as when etcd was restored from a backup, the next is asked of etcd. What is not in memory comes in parts.
//
// https://kubernetes.io/docs/reference/using-api/api-concepts/ has the protocol.
class ListWatch {
 public:
  struct Timing {
    Backoff::Limits backoff;
    // A watch that tells nothing for so long, not even a bookmark, which come every minute, may be dead. Whether the
    // server is, a Heartbeat finds out sooner; this is for what stands between and keeps dead connections.
    std::chrono::seconds idle{90};
    std::chrono::seconds patience{30};  // for the next piece of a list
    // For a part of a list as a whole, of which servers take a minute at most.
    Clock::duration list = std::chrono::seconds(120);
    // How long the server shall keep a watch open, and up to twice as long.
    std::chrono::seconds watch{300};
    // A watch stands when it tells something, or is not refused for so long: a place that is forgotten is said in it.
    Clock::duration settle = std::chrono::milliseconds(200);
  };

  ListWatch(const boost::asio::any_io_executor& executor, std::unique_ptr<Transport> transport, Resource resource,
            Listener& listener, Timing timing);

  // For as long as the executor runs. The ListWatch and the listener must live until then, or until the executor is
  // gone.
  boost::asio::awaitable<void> run();

  // The server has not been heard since then: what is waited for is given up and asked again.
  void interrupt(const std::string& why, Clock::time_point last_heard);
  // The server is heard again: what is to be tried later is tried now, unless it was the server that said when.
  void hurry();

  // Since when the listener may not know what happens; nothing while a watch stands.
  const std::optional<Clock::time_point>& behind_since() const { return behind_since_; }

 private:
  // Why a list or a watch ended, other than well.
  struct Setback {
    std::string message;
    bool start_over = false;  // with a list
    std::optional<std::chrono::seconds> retry_after = std::nullopt;
  };
  using Outcome = std::optional<Setback>;

  boost::asio::awaitable<Outcome> list();
  boost::asio::awaitable<Outcome> list_part(std::string& next, std::string& version);
  Request list_request(const std::string& part) const;
  boost::asio::awaitable<Outcome> watch();
  boost::asio::awaitable<Outcome> read_list(ListStream& stream, Clock::time_point deadline);
  boost::asio::awaitable<Outcome> read_watch();
  void begin_watch();
  void watch_stands();
  void end_watch();
  boost::asio::awaitable<Setback> refused(const std::string& what, Answer answer);
  Outcome event(const boost::json::value& event);
  boost::asio::awaitable<void> pause(const Setback& setback);
  std::string target(const std::vector<std::pair<std::string, std::string>>& parameters) const;

  std::unique_ptr<Transport> transport_;
  Resource resource_;
  Listener& listener_;
  Timing timing_;
  Backoff backoff_;
  boost::asio::steady_timer resting_;   // until the next try
  boost::asio::steady_timer settling_;  // until a watch stands
  std::mt19937 random_{std::random_device{}()};
  std::string version_;        // what the listener knows; empty: nothing
  bool must_list_ = true;      // there is no watch from there
  bool lists_newest_ = false;  // the last list could not be had from memory
  std::optional<Clock::time_point> behind_since_ = Clock::now();
  bool watching_ = false;
  bool may_hurry_ = false;    // the server has not said when to ask again
  bool starts_over_ = false;  // after the last setback
  bool whole_list_ = false;   // parts of a list expired before the last was read
};

}  // namespace fairlead::kube
