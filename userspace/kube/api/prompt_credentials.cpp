// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/api/prompt_credentials.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "userspace/kube/api/coroutine.h"

namespace fairlead::kube {

boost::asio::awaitable<Result<Identity>> PromptCredentials::identity() {
  using boost::asio::experimental::awaitable_operators::operator||;
  const auto first = co_await (credentials_->identity() || wait_for(patience_));
  const auto* said = std::get_if<0>(&first);
  co_return said && *said ? **said : Identity();
}

}  // namespace fairlead::kube
