// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "userspace/kube/access/access.h"
#include "userspace/kube/api/connection.h"
#include "userspace/kube/api/pace.h"
#include "userspace/kube/api/pulse.h"
#include "userspace/util/result.h"

namespace fairlead::kube {

// Speaks to an API server over a connection that is kept and made anew when it has to be. Several clients may share
// credentials, a pace and a pulse.
class Client : public Transport {
 public:
  Client(Access access, std::shared_ptr<TokenBucket> pace, std::shared_ptr<Pulse> pulse)
      : access_(std::move(access)), pace_(std::move(pace)), pulse_(std::move(pulse)) {}

  // Waits for its turn first.
  boost::asio::awaitable<Result<Answer>> send(Request request) override;
  boost::asio::awaitable<Result<std::string_view>> read(Patience patience) override;
  void close() override { connection_.reset(); }
  // While it connects, which is over soon, nothing.
  void interrupt() override {
    if (connection_) connection_->cut();
  }

 private:
  boost::asio::awaitable<Result<Answer>> try_send(const Request& request);
  boost::asio::awaitable<Result<>> connect(const Identity& identity, Patience patience);

  Access access_;
  std::shared_ptr<TokenBucket> pace_;
  std::shared_ptr<Pulse> pulse_;
  std::unique_ptr<Connection> connection_;
  Identity connected_as_;
};

}  // namespace fairlead::kube
