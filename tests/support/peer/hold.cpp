// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <csignal>
#include <iostream>
#include <list>

#include "tests/support/peer/exchange.h"

namespace fairlead::peer {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::ip::tcp;
using asio::ip::udp;
using Clock = std::chrono::steady_clock;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

// Of UDP too: a socket that is connected to one address, and so one flow.
template <class Protocol>
struct Connection {
  explicit Connection(asio::io_context& context) : socket(context), pause(context) {}

  typename Protocol::socket socket;
  asio::steady_timer pause;
  std::uint16_t local_port = 0;
  std::string server;
  unsigned answers = 0;
  std::string broken;  // why, or empty
  int code = 0;        // its errno
  std::chrono::milliseconds broken_after{};
};

template <class Protocol>
class Holder {
  using Connection = peer::Connection<Protocol>;

 public:
  explicit Holder(const HoldOptions& options) : options_(options) {}

  int run() {
    signals_.async_wait([this](const boost::system::error_code&, int) { finish(); });
    end_.expires_after(options_.duration);
    end_.async_wait([this](const boost::system::error_code&) { finish(); });
    for (unsigned i = 0; i < options_.connections; ++i) {
      connections_.emplace_back(context_);
      asio::co_spawn(context_, live(connections_.back()), asio::detached);
    }
    context_.run();
    report();
    return broken_ == 0 ? 0 : 1;
  }

 private:
  asio::awaitable<Outcome> connect(Connection& connection) {
    const auto [error] = co_await connection.socket.async_connect({options_.to.address, options_.to.port}, kNoThrow);
    if (error) co_return Outcome{error, {}, {}};
    boost::system::error_code ignored;
    connection.local_port = connection.socket.local_endpoint(ignored).port();
    co_return co_await exchange(connection.socket, "0");
  }

  asio::awaitable<void> live(Connection& connection) {
    Outcome outcome = co_await within(options_.timeout, connect(connection));
    connection.server = outcome.server;
    const bool healthy = accept(connection, outcome);
    if (++started_ == options_.connections) announce();
    while (healthy && !finishing_) {
      connection.pause.expires_at(options_.idle ? Clock::time_point::max() : Clock::now() + options_.interval);
      co_await connection.pause.async_wait(kNoThrow);
      if (finishing_ && !options_.idle) break;
      outcome = co_await within(options_.timeout, exchange(connection.socket, std::to_string(connection.answers)));
      if (!accept(connection, outcome)) break;
    }
    if (++ended_ == options_.connections) finish();
  }

  // False when the connection is no good any more.
  bool accept(Connection& connection, const Outcome& outcome) {
    if (outcome.error) {
      connection.broken = kind_of(outcome.error);
      connection.code = outcome.error == asio::error::eof ? 0 : outcome.error.value();
    } else if (outcome.server != connection.server) {
      connection.broken = "answered by " + outcome.server;
    } else {
      ++connection.answers;
      return true;
    }
    ++broken_;
    connection.broken_after = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start_);
    return false;
  }

  // What waits for this line may now disturb the connections: all are established.
  void announce() {
    const unsigned established = options_.connections - broken_;
    if (options_.json) {
      std::cout << json::serialize(json::object{{"ready", established}}) << std::endl;
    } else {
      std::cout << "ready: holding " << established << " of " << options_.connections << " connections" << std::endl;
    }
  }

  // Requests that are under way may still end, or what breaks last would go unseen.
  void finish() {
    finishing_ = true;
    for (Connection& connection : connections_)
      connection.pause.cancel();
    end_.cancel();
    signals_.cancel();
  }

  void report() const {
    if (options_.json) {
      report_json();
    } else {
      report_text();
    }
  }

  void report_json() const {
    json::array details;
    for (const Connection& connection : connections_) {
      json::object one{{"local_port", connection.local_port},
                       {"server", connection.server},
                       {"answers", connection.answers},
                       {"broken", nullptr}};
      if (!connection.broken.empty())
        one["broken"] = json::object{
            {"why", connection.broken}, {"errno", connection.code}, {"after_ms", connection.broken_after.count()}};
      details.push_back(std::move(one));
    }
    std::cout << json::serialize(json::object{
                     {"connections", options_.connections}, {"broken", broken_}, {"details", std::move(details)}})
              << std::endl;
  }

  void report_text() const {
    for (const Connection& connection : connections_) {
      std::cout << "  port " << connection.local_port << " " << connection.server << ": " << connection.answers
                << " answers";
      if (!connection.broken.empty())
        std::cout << ", broken after " << connection.broken_after.count() << " ms: " << connection.broken << " (errno "
                  << connection.code << ")";
      std::cout << "\n";
    }
    std::cout << to_text(options_.to) << ": " << options_.connections << " connections, " << broken_ << " broken\n";
  }

  HoldOptions options_;
  asio::io_context context_{1};
  asio::signal_set signals_{context_, SIGTERM, SIGINT};
  asio::steady_timer end_{context_};
  std::list<Connection> connections_;
  Clock::time_point start_ = Clock::now();
  unsigned started_ = 0;
  unsigned ended_ = 0;
  unsigned broken_ = 0;
  bool finishing_ = false;
};

}  // namespace

int hold(const HoldOptions& options) {
  return options.protocol == Protocol::Tcp ? Holder<tcp>(options).run() : Holder<udp>(options).run();
}

}  // namespace fairlead::peer
