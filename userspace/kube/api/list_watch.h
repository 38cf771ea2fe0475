// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>

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

// Follows a resource: a list in parts, then a watch from there, resumed where it broke off, and a new list when the
// server has forgotten the place. No change is passed over. Never asks faster than its backoff allows, and waits as
// long as the server says.
//
// https://kubernetes.io/docs/reference/using-api/api-concepts/ has the protocol.
class ListWatch {
 public:
  struct Timing {
    Backoff::Limits backoff;
    // A watch that tells nothing for so long, not even a bookmark, which come every minute, may be dead.
    std::chrono::seconds idle{150};
    std::chrono::seconds patience{60};  // for the next piece of a list
    // How long the server shall keep a watch open, and up to twice as long.
    std::chrono::seconds watch{300};
  };

  ListWatch(std::unique_ptr<Transport> transport, Resource resource, Listener& listener, Timing timing);

  // For as long as the executor runs. The ListWatch and the listener must live until then, or until the executor is
  // gone.
  boost::asio::awaitable<void> run();

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
  boost::asio::awaitable<Outcome> watch();
  boost::asio::awaitable<Outcome> read_watch();
  boost::asio::awaitable<Setback> refused(const std::string& what, Answer answer);
  Outcome event(const boost::json::value& event);
  boost::asio::awaitable<void> pause(const Setback& setback);
  std::string target(const std::vector<std::pair<std::string, std::string>>& parameters) const;

  std::unique_ptr<Transport> transport_;
  Resource resource_;
  Listener& listener_;
  Timing timing_;
  Backoff backoff_;
  std::mt19937 random_{std::random_device{}()};
  std::string version_;       // what the listener knows; empty: nothing
  bool starts_over_ = false;  // after the last setback
  bool whole_list_ = false;   // parts of a list expired before the last was read
};

}  // namespace fairlead::kube
