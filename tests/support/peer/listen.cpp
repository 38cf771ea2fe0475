// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <csignal>
#include <iostream>
#include <map>

#include "tests/support/peer/exchange.h"

namespace fairlead::peer {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::ip::tcp;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

// Makes one connection after the other, and hears all of them out.
class Listener {
 public:
  explicit Listener(const ListenOptions& options) : options_(options) {}

  int run() {
    signals_.async_wait([this](const boost::system::error_code&, int) {
      ending_ = true;
      every_.cancel();
    });
    asio::co_spawn(context_, make_connections(), asio::detached);
    context_.run();
    report();
    return broken_.empty() ? 0 : 1;
  }

 private:
  asio::awaitable<void> make_connections() {
    std::cout << json::serialize(json::object{{"ready", 1}}) << std::endl;
    while (!ending_) {
      ++connections_;
      asio::co_spawn(context_, live(), asio::detached);
      every_.expires_after(options_.every);
      co_await every_.async_wait(kNoThrow);
    }
  }

  asio::awaitable<void> live() {
    tcp::socket socket(context_);
    std::string heard;
    Outcome outcome = co_await within(options_.timeout, begin(socket));
    for (unsigned i = 0; i < options_.lines && !outcome.error; ++i)
      outcome = co_await within(options_.timeout, hear(socket, heard, i));
    if (outcome.error) ++broken_[kind_of(outcome.error)];
  }

  asio::awaitable<Outcome> begin(tcp::socket& socket) {
    const auto [error] = co_await socket.async_connect({options_.to.address, options_.to.port}, kNoThrow);
    if (error) co_return Outcome{error, {}, {}};
    const std::string request =
        "push " + std::to_string(options_.lines) + " " + std::to_string(options_.pause.count()) + "\n";
    const auto [failed, sent] = co_await asio::async_write(socket, asio::buffer(request), kNoThrow);
    co_return Outcome{failed, {}, {}};
  }

  static asio::awaitable<Outcome> hear(tcp::socket& socket, std::string& heard, unsigned number) {
    const auto [error, size] = co_await asio::async_read_until(socket, asio::dynamic_buffer(heard), '\n', kNoThrow);
    if (error) co_return Outcome{error, {}, {}};
    const bool right = heard.substr(0, size) == std::to_string(number) + "\n";
    heard.erase(0, size);
    if (right) co_return Outcome{};
    co_return Outcome{make_error_code(boost::system::errc::bad_message), {}, {}};
  }

  void report() const {
    json::object broken;
    for (const auto& [why, count] : broken_)
      broken[why] = count;
    std::cout << json::serialize(json::object{{"connections", connections_}, {"broken", std::move(broken)}})
              << std::endl;
  }

  ListenOptions options_;
  asio::io_context context_{1};
  asio::signal_set signals_{context_, SIGTERM, SIGINT};
  asio::steady_timer every_{context_};
  bool ending_ = false;
  unsigned connections_ = 0;
  std::map<std::string, unsigned> broken_;
};

}  // namespace

int listen(const ListenOptions& options) {
  return Listener(options).run();
}

}  // namespace fairlead::peer
