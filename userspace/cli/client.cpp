// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/client.h"

#include <spdlog/fmt/fmt.h>
#include <sys/un.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <limits>

#include "userspace/admin/view.h"

namespace fairlead::cli {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using Unix = boost::asio::local::stream_protocol;

// One asynchronous step run to its end: blocking calls of a socket know no timeout.
template <class Start>
boost::system::error_code run(boost::asio::io_context& io, beast::basic_stream<Unix>& stream,
                              std::chrono::milliseconds patience, Start start) {
  boost::system::error_code result;
  stream.expires_after(patience);
  start([&result](boost::system::error_code error, auto...) { result = error; });
  io.restart();
  io.run();
  return result;
}

Error refusal(const http::response<http::string_body>& response, const boost::json::value& body) {
  const auto error = boost::json::try_value_to<admin::ErrorView>(body);
  const std::string message =
      error ? error->error : "lbd answered with HTTP status " + std::to_string(response.result_int());
  return {message, response.result() == http::status::not_found ? ENOENT : EINVAL};
}

}  // namespace

Error Client::unreachable(const boost::system::error_code& error) const {
  if (error == boost::system::errc::permission_denied)
    return {"not allowed to ask the lbd on " + socket_ + ": it answers only its own user, who is root as a rule",
            EACCES};
  if (error == beast::error::timeout)
    return {fmt::format("the lbd on {} does not answer: nothing came for {:g} s", socket_,
                        std::chrono::duration<double>(patience_).count()),
            ECONNREFUSED};
  const std::string why = error == boost::system::errc::connection_refused
                              ? "its lbd runs no more, and has left the socket behind"
                              : error.message();
  return {"no lbd answers on " + socket_ + ": " + why + " (--socket names another)", ECONNREFUSED};
}

Result<boost::json::value> Client::get(const std::string& target) const {
  if (socket_.size() >= sizeof(sockaddr_un::sun_path))
    return unreachable(boost::system::errc::make_error_code(boost::system::errc::filename_too_long));
  boost::asio::io_context io;
  beast::basic_stream<Unix> stream(io);
  if (auto error = run(io, stream, patience_, [&](auto done) { stream.async_connect(Unix::endpoint(socket_), done); }))
    return unreachable(error);
  http::request<http::empty_body> request(http::verb::get, target, 11);
  request.set(http::field::host, "localhost");
  request.set(http::field::connection, "close");
  if (auto error = run(io, stream, patience_, [&](auto done) { http::async_write(stream, request, done); }))
    return unreachable(error);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  if (auto error = run(io, stream, patience_, [&](auto done) { http::async_read(stream, buffer, parser, done); }))
    return unreachable(error);

  boost::system::error_code malformed;
  boost::json::value body = boost::json::parse(parser.get().body(), malformed);
  if (malformed) return Error{"lbd's answer is not JSON: " + malformed.message(), EPROTO};
  if (parser.get().result() != http::status::ok) return refusal(parser.get(), body);
  return body;
}

}  // namespace fairlead::cli
