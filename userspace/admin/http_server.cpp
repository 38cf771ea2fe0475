// SPDX-License-Identifier: Apache-2.0
#include "userspace/admin/http_server.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/url.hpp>
#include <chrono>

#include "userspace/util/endpoint.h"

namespace fairlead::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Unix = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;

constexpr std::size_t kMaxBody = std::size_t{64} * 1024;
constexpr std::chrono::seconds kIdle{30};

template <class Stream>
asio::awaitable<void> serve(Stream stream, std::shared_ptr<const HttpHandler> handler) {
  beast::flat_buffer buffer;
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kMaxBody);
    beast::error_code error;
    stream.expires_after(kIdle);
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    HttpResponse response = (*handler)(parser.get());
    response.version(parser.get().version());
    response.keep_alive(parser.get().keep_alive());
    if (parser.get().method() == http::verb::head) response.body().clear();
    response.prepare_payload();
    stream.expires_after(kIdle);
    co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, error));
    if (error || !response.keep_alive()) co_return;
  }
}

template <class Protocol>
asio::awaitable<void> accept(typename Protocol::acceptor acceptor, std::shared_ptr<const HttpHandler> handler) {
  using Stream = beast::basic_stream<Protocol>;
  for (;;) {
    boost::system::error_code error;
    auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    // Out of descriptors or the like: the next one may do better.
    if (error == asio::error::operation_aborted) co_return;
    if (!error) asio::co_spawn(acceptor.get_executor(), serve(Stream(std::move(socket)), handler), asio::detached);
  }
}

template <class Protocol>
Result<> listen(asio::io_context& io, const typename Protocol::endpoint& endpoint, const std::string& name,
                HttpHandler handler) {
  typename Protocol::acceptor acceptor(io);
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return make_error("listen on", name, error.value());
  asio::co_spawn(io, accept<Protocol>(std::move(acceptor), std::make_shared<const HttpHandler>(std::move(handler))),
                 asio::detached);
  return {};
}

}  // namespace

Result<> HttpServer::listen_tcp(const std::string& address, HttpHandler handler) {
  const auto endpoint = Endpoint::parse(address);
  if (!endpoint) return Error{"listen on " + address + ": not of the form ADDRESS:PORT", EINVAL};
  return listen<Tcp>(io_, {asio::ip::make_address(endpoint->address.to_string()), endpoint->port}, address,
                     std::move(handler));
}

Result<> HttpServer::listen_unix(const std::string& path, HttpHandler handler) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return make_error("listen on", path, ENAMETOOLONG);
  struct stat there{};
  if (::lstat(path.c_str(), &there) == 0 && !S_ISSOCK(there.st_mode))
    return Error{"listen on " + path + ": something that is no socket is there", EEXIST};
  Unix::socket probe(io_);
  boost::system::error_code error;
  probe.connect(Unix::endpoint(path), error);
  if (!error) return Error{"listen on " + path + ": another lbd answers there", EADDRINUSE};
  ::unlink(path.c_str());
  // The mode is there before the name is.
  const mode_t before = ::umask(0177);
  auto listening = listen<Unix>(io_, Unix::endpoint(path), path, std::move(handler));
  ::umask(before);
  return listening;
}

HttpResponse text_response(http::status status, std::string body, const std::string& type) {
  HttpResponse response;
  response.result(status);
  response.set(http::field::content_type, type);
  response.set(http::field::cache_control, "no-store");
  response.body() = std::move(body);
  return response;
}

Result<Target> parse_target(std::string_view text) {
  const auto url = boost::urls::parse_origin_form(text);
  if (!url) return Error{"malformed request target", EINVAL};
  Target target;
  target.path = url->path();
  for (const auto& parameter : url->params())
    target.query.emplace_back(parameter.key, parameter.value);
  return target;
}

}  // namespace fairlead::admin
