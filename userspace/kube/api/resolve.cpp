// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/api/resolve.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <memory>
#include <optional>

namespace fairlead::kube {
namespace {

namespace asio = boost::asio;
using Resolver = asio::ip::tcp::resolver;
using Code = boost::system::error_code;

// What may come after nobody waits for it any more.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), done(executor) {}

  Resolver resolver;
  asio::steady_timer done;  // cancelled when there is an outcome
  std::optional<Code> outcome;
  Resolver::results_type addresses;
};

void begin(const std::shared_ptr<Lookup>& lookup, const std::string& host, std::uint16_t port) {
  lookup->resolver.async_resolve(host, std::to_string(port), [lookup](const Code& error, const auto& addresses) {
    lookup->outcome = error;
    lookup->addresses = addresses;
    lookup->done.cancel();
  });
}

}  // namespace

asio::awaitable<Result<Resolver::results_type>> resolve(std::string host, std::uint16_t port,
                                                        std::chrono::steady_clock::time_point deadline) {
  const auto lookup = std::make_shared<Lookup>(co_await asio::this_coro::executor);
  lookup->done.expires_at(deadline);
  begin(lookup, host, port);
  co_await lookup->done.async_wait(asio::as_tuple(asio::use_awaitable));
  // One that has not begun, because another hangs, need not begin any more.
  lookup->resolver.cancel();
  const std::optional<Code> outcome = lookup->outcome;
  if (!outcome) co_return Error{"look up " + host + ": no answer in time", ETIMEDOUT};
  if (*outcome) co_return Error{"look up " + host + ": " + outcome->message(), 0};
  co_return lookup->addresses;
}

}  // namespace fairlead::kube
