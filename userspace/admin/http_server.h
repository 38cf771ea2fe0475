// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/http.hpp>
#include <functional>
#include <memory>
#include <string>

#include "userspace/util/result.h"

namespace fairlead::admin {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;
using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;
// One that may wait for something; the request is there until it has answered.
using HttpCoroutine = std::function<boost::asio::awaitable<HttpResponse>(const HttpRequest&)>;
HttpCoroutine at_once(HttpHandler handler);

// Serves HTTP/1.1 on the event loop, one handler for each listener. Requests are small (bodies of at most 64 KiB) and
// connections that say nothing for 30 seconds are closed. The handler must not throw. Listeners live until the
// io_context ends.
class HttpServer {
 public:
  explicit HttpServer(boost::asio::io_context& io) : io_(io) {}

  // "127.0.0.1:10249" or "[::]:10256".
  Result<> listen_tcp(const std::string& address, HttpCoroutine handler);
  // Only the owner may connect. A socket that a dead daemon left is replaced; one that answers is an error.
  Result<> listen_unix(const std::string& path, HttpHandler handler);

 private:
  boost::asio::io_context& io_;
};

HttpResponse text_response(boost::beast::http::status status, std::string body,
                           const std::string& type = "text/plain; charset=utf-8");

// "/v1/flows?limit=3" -> path and decoded query parameters.
struct Target {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
};
Result<Target> parse_target(std::string_view text);

}  // namespace fairlead::admin
