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
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/url.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>

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
// Of each listener: so many together leave descriptors for everything else where a process may have 1,024.
constexpr std::size_t kMostConnections = 256;
// After an accept that failed, for want of descriptors for example: the connection is still there, and would be tried
// in a circle.
constexpr std::chrono::milliseconds kPause{100};

// A listener's handler, and its connections in the order in which they were last heard.
template <class Stream>
struct Listener {
  HttpCoroutine handler;
  std::map<std::uint64_t, Stream*> connections;
  std::uint64_t next = 0;

  // Whoever has said nothing for longest makes room, so that nobody keeps a newcomer out.
  void make_room() {
    if (connections.size() < kMostConnections) return;
    const auto oldest = connections.begin();
    oldest->second->close();
    connections.erase(oldest);
  }
};

// The place of a connection that is open.
template <class Stream>
class Place {
 public:
  Place(Listener<Stream>& listener, Stream& stream) : listener_(listener), stream_(stream) { take(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { listener_.connections.erase(number_); }

  // It has been heard. One that had to make room does not come back.
  void renew() {
    if (listener_.connections.erase(number_) > 0) take();
  }

 private:
  void take() {
    number_ = listener_.next++;
    listener_.connections.emplace(number_, &stream_);
  }

  Listener<Stream>& listener_;
  Stream& stream_;
  std::uint64_t number_ = 0;
};

template <class Stream>
asio::awaitable<void> serve(Stream stream, std::shared_ptr<Listener<Stream>> listener) {
  Place<Stream> place(*listener, stream);
  beast::flat_buffer buffer;
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kMaxBody);
    beast::error_code error;
    stream.expires_after(kIdle);
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    place.renew();
    HttpResponse response = co_await listener->handler(parser.get());
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
asio::awaitable<void> accept(typename Protocol::acceptor acceptor, HttpCoroutine handler) {
  using Stream = beast::basic_stream<Protocol>;
  const auto listener = std::make_shared<Listener<Stream>>(Listener<Stream>{std::move(handler), {}});
  asio::steady_timer pause(acceptor.get_executor());
  for (;;) {
    boost::system::error_code error;
    auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      pause.expires_after(kPause);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    listener->make_room();
    asio::co_spawn(acceptor.get_executor(), serve(Stream(std::move(socket)), listener), asio::detached);
  }
}

template <class Protocol>
Result<> listen(asio::io_context& io, const typename Protocol::endpoint& endpoint, const std::string& name,
                HttpCoroutine handler) {
  typename Protocol::acceptor acceptor(io);
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return make_error("listen on", name, error.value());
  asio::co_spawn(io, accept<Protocol>(std::move(acceptor), std::move(handler)), asio::detached);
  return {};
}

// Removes a socket that nobody listens on any more. To ask, and to remove, may be another user's alone.
Result<> make_vacant(asio::io_context& io, const std::string& path) {
  Unix::socket probe(io);
  boost::system::error_code error;
  probe.connect(Unix::endpoint(path), error);
  if (!error) return Error{"listen on " + path + ": another lbd answers there", EADDRINUSE};
  if (error == boost::system::errc::no_such_file_or_directory) return {};
  if (error != boost::system::errc::connection_refused)
    return make_error("ask whether another lbd answers on", path, error.value());
  if (::unlink(path.c_str()) && errno != ENOENT)
    return make_error("remove the socket that an earlier lbd has left,", path, errno);
  return {};
}

}  // namespace

HttpCoroutine at_once(HttpHandler handler) {
  return [handler = std::move(handler)](const HttpRequest& request) -> asio::awaitable<HttpResponse> {
    co_return handler(request);
  };
}

Result<> HttpServer::listen_tcp(const std::string& address, HttpCoroutine handler) {
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
  if (auto vacant = make_vacant(io_, path); !vacant) return vacant;
  // The mode is there before the name is.
  const mode_t before = ::umask(0177);
  auto listening = listen<Unix>(io_, Unix::endpoint(path), path, at_once(std::move(handler)));
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
