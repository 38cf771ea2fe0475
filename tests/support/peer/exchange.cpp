// SPDX-License-Identifier: Apache-2.0
#include "tests/support/peer/exchange.h"

#include <netinet/in.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/json.hpp>

namespace fairlead::peer {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
namespace errc = boost::system::errc;
using asio::ip::tcp;
using asio::ip::udp;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Outcome understand(std::string_view answer, std::string_view request) {
  boost::system::error_code error;
  const json::value value = json::parse({answer.data(), answer.size()}, error);
  if (error || !value.is_object() || text_of(value.get_object(), "echo") != request)
    return {errc::make_error_code(errc::bad_message), {}, {}};
  const json::object& object = value.get_object();
  const json::value* port = object.if_contains("local_port");
  return {{},
          text_of(object, "server"),
          text_of(object, "peer"),
          port != nullptr && port->is_int64() ? static_cast<unsigned>(port->get_int64()) : 0};
}

}  // namespace

std::string kind_of(const boost::system::error_code& error) {
  if (error == errc::connection_refused) return "refused";
  if (error == errc::timed_out) return "timeout";
  if (error == errc::connection_reset || error == errc::broken_pipe) return "reset";
  if (error == errc::host_unreachable || error == errc::network_unreachable) return "unreachable";
  if (error == asio::error::eof) return "closed";
  return error.message();
}

asio::awaitable<Outcome> exchange(tcp::socket& socket, std::string request) {
  const std::string line = request + "\n";
  const auto [failed, sent] = co_await asio::async_write(socket, asio::buffer(line), kNoThrow);
  if (failed) co_return Outcome{failed, {}, {}};
  std::string answer;
  const auto [error, size] = co_await asio::async_read_until(socket, asio::dynamic_buffer(answer), '\n', kNoThrow);
  if (error) co_return Outcome{error, {}, {}};
  co_return understand(std::string_view(answer).substr(0, size), request);
}

asio::awaitable<Outcome> exchange(udp::socket& socket, std::string request) {
  const auto [failed, sent] = co_await socket.async_send(asio::buffer(request), kNoThrow);
  if (failed) co_return Outcome{failed, {}, {}};
  std::string answer(65536, '\0');
  const auto [error, size] = co_await socket.async_receive(asio::buffer(answer), kNoThrow);
  if (error) co_return Outcome{error, {}, {}};
  co_return understand(std::string_view(answer).substr(0, size), request);
}

void hear_all_errors(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
  setsockopt(socket, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
}

asio::awaitable<Outcome> within(std::chrono::milliseconds timeout, asio::awaitable<Outcome> work) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(co_await asio::this_coro::executor, timeout);
  const auto first = co_await (std::move(work) || timer.async_wait(kNoThrow));
  if (first.index() == 0) co_return std::get<0>(first);
  co_return Outcome{errc::make_error_code(errc::timed_out), {}, {}};
}

}  // namespace fairlead::peer
