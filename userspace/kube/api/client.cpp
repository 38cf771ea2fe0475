// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/api/client.h"

#include <algorithm>
#include <cerrno>

#include "userspace/kube/access/authority.h"
#include "userspace/kube/api/coroutine.h"

namespace fairlead::kube {
namespace {

namespace asio = boost::asio;

// However long an answer may take: whoever lives takes a connection at once.
constexpr Transport::Patience kConnectPatience = std::chrono::seconds(10);
constexpr unsigned kUnauthorized = 401;

}  // namespace

asio::awaitable<Result<>> Client::connect(const Identity& identity, Patience patience) {
  refresh_authority(access_.cluster);
  auto connection = co_await Connection::open(access_.cluster, identity, std::min(patience, kConnectPatience));
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
    auto answer = co_await connection_->send(request, identity->authorization);
    // The server may have closed it since it was last used. Where it is silent, another is no better.
    if (answer || answer.error().code == ETIMEDOUT) co_return answer;
  }
  if (auto connected = co_await connect(*identity, request.patience); !connected) co_return connected.error();
  co_return co_await connection_->send(request, identity->authorization);
}

asio::awaitable<Result<Answer>> Client::send(Request request) {
  if (const auto wait = pace_->take(Clock::now()); wait > Clock::duration::zero()) co_await wait_for(wait);
  auto answer = co_await try_send(request);
  if (answer && answer->status == kUnauthorized) {
    access_.credentials->reject();
    answer = co_await try_send(request);
  }
  if (answer)
    pulse_->beat();
  else
    connection_.reset();
  co_return answer;
}

asio::awaitable<Result<std::string_view>> Client::read(Patience patience) {
  auto piece = co_await connection_->read(patience);
  if (piece)
    pulse_->beat();
  else
    connection_.reset();
  co_return piece;
}

}  // namespace fairlead::kube
