// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/api/client.h"

#include "userspace/kube/api/coroutine.h"

namespace fairlead::kube {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kPatience{30};
constexpr unsigned kUnauthorized = 401;

}  // namespace

asio::awaitable<Result<>> Client::connect(const Identity& identity) {
  auto connection = co_await Connection::open(access_.cluster, identity, kPatience);
  if (!connection) co_return connection.error();
  connection_ = std::move(*connection);
  connected_as_ = identity;
  co_return Result<>();
}

asio::awaitable<Result<Answer>> Client::try_send(const Request& request) {
  auto identity = co_await access_.credentials->identity();
  if (!identity) co_return identity.error();
  const bool same_certificate = identity->certificate_pem == connected_as_.certificate_pem;
  if (connection_ && (!connection_->is_free() || !same_certificate)) connection_.reset();
  if (connection_) {
    auto answer = co_await connection_->send(request, identity->authorization, kPatience);
    if (answer) co_return answer;
    // The server may have closed it since it was last used.
  }
  if (auto connected = co_await connect(*identity); !connected) co_return connected.error();
  co_return co_await connection_->send(request, identity->authorization, kPatience);
}

asio::awaitable<Result<Answer>> Client::send(Request request) {
  if (const auto wait = pace_->take(Clock::now()); wait > Clock::duration::zero()) co_await wait_for(wait);
  auto answer = co_await try_send(request);
  if (answer && answer->status == kUnauthorized) {
    access_.credentials->reject();
    answer = co_await try_send(request);
  }
  if (!answer) connection_.reset();
  co_return answer;
}

asio::awaitable<Result<std::string_view>> Client::read(Patience patience) {
  auto piece = co_await connection_->read(patience);
  if (!piece) connection_.reset();
  co_return piece;
}

}  // namespace fairlead::kube
