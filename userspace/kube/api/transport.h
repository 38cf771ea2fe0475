// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/verb.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/util/result.h"

namespace fairlead::kube {

struct Request {
  boost::beast::http::verb method = boost::beast::http::verb::get;
  std::string target;        // path and query, without the cluster's base path
  std::string body;          // empty: none
  std::string content_type;  // of the body
  std::chrono::steady_clock::duration patience = std::chrono::seconds(30);  // for the head of an answer
};

// What stands above an answer's body.
struct Answer {
  unsigned status = 0;
  std::optional<std::chrono::seconds> retry_after;

  bool ok() const { return status >= 200 && status < 300; }
};

// What requests go through to an API server: one exchange at a time.
class Transport {
 public:
  using Patience = std::chrono::steady_clock::duration;

  virtual ~Transport() = default;

  // Returns when the answer's head is there, whatever it says. The body is then read to its end, or abandoned by
  // close() or the next send().
  virtual boost::asio::awaitable<Result<Answer>> send(Request request) = 0;
  // The next piece of the body; empty at its end. Valid until the next call.
  virtual boost::asio::awaitable<Result<std::string_view>> read(Patience patience) = 0;
  virtual void close() = 0;
  // Whoever waits for an answer, or for a piece of it, is told that none comes.
  virtual void interrupt() = 0;

  // What an answer that is not ok says, for people; reads the body. The code is the HTTP status.
  boost::asio::awaitable<Error> refusal(std::string what, Answer answer);
};

}  // namespace fairlead::kube
