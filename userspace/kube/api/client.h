// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "userspace/kube/access/access.h"
#include "userspace/kube/api/connection.h"
#include "userspace/kube/api/pace.h"
#include "userspace/util/result.h"

namespace fairlead::kube {

// Speaks to an API server: one exchange at a time, over a connection that is kept and made anew when it has to be.
// Several clients may share credentials and a pace.
class Client {
 public:
  using Patience = Connection::Patience;

  Client(Access access, std::shared_ptr<TokenBucket> pace) : access_(std::move(access)), pace_(std::move(pace)) {}

  // Waits for its turn, sends, and returns when the answer's head is there, whatever it says. The body is then read to
  // its end, or abandoned by close() or the next send().
  boost::asio::awaitable<Result<Answer>> send(Request request);
  // The next piece of the body; empty at its end. Valid until the next call.
  boost::asio::awaitable<Result<std::string_view>> read(Patience patience);
  // What an answer that is not ok says, for people; reads the body. The code is the HTTP status.
  boost::asio::awaitable<Error> refusal(std::string what, Answer answer);
  void close() { connection_.reset(); }

 private:
  boost::asio::awaitable<Result<Answer>> try_send(const Request& request);
  boost::asio::awaitable<Result<>> connect(const Identity& identity);

  Access access_;
  std::shared_ptr<TokenBucket> pace_;
  std::unique_ptr<Connection> connection_;
  Identity connected_as_;
};

}  // namespace fairlead::kube
