// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/api/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl.hpp>
#include <tuple>

#include "userspace/kube/api/resolve.h"
#include "userspace/util/text.h"
#include "userspace/util/version.h"

namespace fairlead::kube {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using Code = boost::system::error_code;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kPiece = 64 << 10;
constexpr std::uint32_t kLongestHead = 64 << 10;

Error tls_error(const char* what, const Code& error) {
  return {std::string(what) + ": " + error.message(), 0};
}

Result<ssl::context> make_context(const Cluster& cluster, const Identity& identity) {
  ssl::context context(ssl::context::tls_client);
  Code error;
  context.set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, error);
  if (cluster.ca_pem.empty()) {
    context.set_default_verify_paths(error);
  } else {
    context.add_certificate_authority(asio::buffer(cluster.ca_pem), error);
  }
  if (error) return tls_error("the cluster's certificate authority cannot be used", error);
  context.set_verify_mode(cluster.skip_verify ? ssl::verify_none : ssl::verify_peer, error);
  if (identity.certificate_pem.empty()) return context;
  context.use_certificate_chain(asio::buffer(identity.certificate_pem), error);
  if (error) return tls_error("the client certificate cannot be used", error);
  context.use_private_key(asio::buffer(identity.key_pem), ssl::context::pem, error);
  if (error) return tls_error("the client certificate's key cannot be used", error);
  return context;
}

// Seconds of silence until the other end's kernel is asked whether it knows the connection, and between two questions;
// milliseconds without an answer, to them or to what was sent, that end the connection.
constexpr int kKeepIdle = 10;
constexpr int kKeepInterval = 5;
constexpr int kUnanswered = 25'000;

// What cannot be set leaves the kernel's own, longer times.
void watch_over(asio::ip::tcp::socket& socket) {
  Code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  for (const auto& [option, value] :
       {std::pair{TCP_KEEPIDLE, kKeepIdle}, {TCP_KEEPINTVL, kKeepInterval}, {TCP_USER_TIMEOUT, kUnanswered}})
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof(value));
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view text) {
  const auto seconds = to_number<unsigned>(text);
  return seconds ? std::optional(std::chrono::seconds(*seconds)) : std::nullopt;
}

}  // namespace

Connection::Connection(const Cluster& cluster, asio::any_io_executor executor, ssl::context context)
    : cluster_(cluster),
      name_(cluster.authority()),
      context_(std::move(context)),
      stream_(std::in_place_type<Plain>, executor) {
  if (cluster.tls) stream_.emplace<Tls>(executor, context_);
}

Error Connection::failed(const char* operation, const Code& error) const {
  const bool late = error == beast::error::timeout || error == asio::error::operation_aborted;
  return {std::string(operation) + " " + name_ + ": " + (late ? "no answer in time" : error.message()),
          late ? ETIMEDOUT : 0};
}

Connection::Plain& Connection::socket() {
  return std::visit([](auto& stream) -> Plain& { return beast::get_lowest_layer(stream); }, stream_);
}

asio::awaitable<Result<std::unique_ptr<Connection>>> Connection::open(const Cluster& cluster, const Identity& identity,
                                                                      Patience patience) {
  auto context = make_context(cluster, identity);
  if (!context) co_return context.error();
  const auto executor = co_await asio::this_coro::executor;
  std::unique_ptr<Connection> connection(new Connection(cluster, executor, std::move(*context)));
  auto connected = co_await connection->connect(Deadline::clock::now() + patience);
  if (!connected) co_return connected.error();
  connection->reusable_ = true;
  co_return connection;
}

asio::awaitable<Result<>> Connection::connect(Deadline deadline) {
  const auto addresses = co_await resolve(cluster_.host, cluster_.port, deadline);
  if (!addresses) co_return addresses.error();
  if (auto connected = co_await connect_to(*addresses, deadline); !connected) co_return connected;
  watch_over(socket().socket());
  if (!cluster_.tls) co_return Result<>();
  socket().expires_at(deadline);
  co_return co_await shake_hands();
}

// To the first that takes it. An equal part of the time for each: one that is silent must not take the others' turn.
asio::awaitable<Result<>> Connection::connect_to(const Addresses& addresses, Deadline deadline) {
  Code error = asio::error::host_not_found;
  auto left = static_cast<int>(addresses.size());
  for (const auto& address : addresses) {
    const auto now = Deadline::clock::now();
    socket().expires_at(now + (deadline - now) / left--);
    std::tie(error) = co_await socket().async_connect(address.endpoint(), kAwait);
    if (!error) co_return Result<>();
    socket().close();
  }
  co_return failed("connect to", error);
}

asio::awaitable<Result<>> Connection::shake_hands() {
  Tls& tls = std::get<Tls>(stream_);
  const std::string& name = cluster_.server_name.empty() ? cluster_.host : cluster_.server_name;
  Code not_address;
  asio::ip::make_address(name, not_address);
  // RFC 6066: an address is not sent as a server name.
  if (not_address) SSL_set_tlsext_host_name(tls.native_handle(), name.c_str());
  if (!cluster_.skip_verify) tls.set_verify_callback(ssl::host_name_verification(name));
  auto [error] = co_await tls.async_handshake(ssl::stream_base::client, kAwait);
  if (error) co_return failed("TLS with", error);
  co_return Result<>();
}

asio::awaitable<Result<Answer>> Connection::send(const Request& request, const std::string& authorization) {
  reusable_ = false;
  http::request<http::string_body> message(request.method, cluster_.base_path + request.target, 11);
  message.set(http::field::host, name_);
  message.set(http::field::user_agent, "lbd/" + std::string(version()));
  message.set(http::field::accept, "application/json");
  message.set(http::field::accept_encoding, "gzip");
  if (!authorization.empty()) message.set(http::field::authorization, authorization);
  if (!request.content_type.empty()) message.set(http::field::content_type, request.content_type);
  message.body() = request.body;
  message.prepare_payload();

  socket().expires_after(request.patience);
  auto [unsent, sent] =
      co_await std::visit([&](auto& stream) { return http::async_write(stream, message, kAwait); }, stream_);
  if (unsent) co_return failed("send to", unsent);

  Parser& parser = parser_.emplace();
  parser.header_limit(kLongestHead);
  parser.body_limit(boost::none);
  auto [unread, read] = co_await std::visit(
      [&](auto& stream) { return http::async_read_header(stream, buffer_, parser, kAwait); }, stream_);
  if (unread) co_return failed("read from", unread);
  const auto& head = parser.get();
  gunzip_.reset();
  if (head[http::field::content_encoding] == "gzip") gunzip_.emplace();
  const auto retry_after = head[http::field::retry_after];
  co_return Answer{head.result_int(), parse_retry_after({retry_after.data(), retry_after.size()})};
}

asio::awaitable<Result<std::size_t>> Connection::read_some() {
  packed_.resize(kPiece);
  auto& body = parser().get().body();
  body.data = packed_.data();
  body.size = packed_.size();
  auto [error, bytes] = co_await std::visit(
      [this](auto& stream) { return http::async_read_some(stream, buffer_, parser(), kAwait); }, stream_);
  // Not an error, but: the piece is full.
  if (error == http::error::need_buffer) error = {};
  if (error) co_return failed("read from", error);
  co_return packed_.size() - body.size;
}

Result<> Connection::unpack(std::size_t size) {
  if (gunzip_) return gunzip_->feed({packed_.data(), size}, piece_);
  packed_.resize(size);
  piece_.swap(packed_);
  return {};
}

asio::awaitable<Result<std::string_view>> Connection::read(Patience patience) {
  socket().expires_after(patience);
  piece_.clear();
  while (piece_.empty() && !parser().is_done()) {
    auto size = co_await read_some();
    if (!size) co_return size.error();
    if (auto unpacked = unpack(*size); !unpacked) co_return unpacked.error();
  }
  if (piece_.empty() && gunzip_ && !gunzip_->done()) co_return Error{"gzip: cut off", 0};
  if (piece_.empty()) reusable_ = parser().keep_alive();
  co_return std::string_view(piece_);
}

}  // namespace fairlead::kube
