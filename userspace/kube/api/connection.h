// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "userspace/kube/access/access.h"
#include "userspace/kube/api/gzip.h"
#include "userspace/kube/api/transport.h"
#include "userspace/util/result.h"

namespace fairlead::kube {

// A connection to an API server: HTTP/1.1, by TLS unless the cluster has none. One exchange after the other; an
// answer's body comes in pieces, unpacked if it was packed. After an error the connection is of no use any more. Every
// wait has a deadline, and one that the other end's kernel does not know any more ends in less than half a minute. An
// error's code is ETIMEDOUT when a wait was too long or was cut.
class Connection {
 public:
  using Patience = Transport::Patience;

  // Looks up the name, connects to one of its addresses, shakes hands, and checks that it is the right server.
  static boost::asio::awaitable<Result<std::unique_ptr<Connection>>> open(const Cluster& cluster,
                                                                          const Identity& identity, Patience patience);

  // Returns when the answer's head is there. The answer to the request before must have been read to its end.
  boost::asio::awaitable<Result<Answer>> send(const Request& request, const std::string& authorization);
  // The next piece of the body; empty at its end. Valid until the next call.
  boost::asio::awaitable<Result<std::string_view>> read(Patience patience);

  // Whether another request can be sent.
  bool is_free() const { return reusable_; }

  // Ends what is being waited for, with an error.
  void cut() { socket().close(); }

 private:
  using Plain = boost::beast::tcp_stream;
  using Tls = boost::beast::ssl_stream<boost::beast::tcp_stream>;
  using Deadline = std::chrono::steady_clock::time_point;
  using Addresses = boost::asio::ip::tcp::resolver::results_type;
  using Parser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;

  Connection(const Cluster& cluster, boost::asio::any_io_executor executor, boost::asio::ssl::context context);

  boost::asio::awaitable<Result<>> connect(Deadline deadline);
  boost::asio::awaitable<Result<>> connect_to(const Addresses& addresses, Deadline deadline);
  boost::asio::awaitable<Result<>> shake_hands();
  boost::asio::awaitable<Result<std::size_t>> read_some();
  Result<> unpack(std::size_t size);
  Plain& socket();
  Error failed(const char* operation, const boost::system::error_code& error) const;
  Parser& parser() { return *parser_; }  // NOLINT(bugprone-unchecked-optional-access): what is read was sent for

  Cluster cluster_;
  std::string name_;  // "host:port"
  boost::asio::ssl::context context_;
  std::variant<Plain, Tls> stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::optional<Gunzip> gunzip_;
  std::string packed_;
  std::string piece_;
  bool reusable_ = false;
};

}  // namespace fairlead::kube
