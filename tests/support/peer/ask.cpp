// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/json.hpp>
#include <iomanip>
#include <iostream>
#include <map>

#include "tests/support/peer/exchange.h"

namespace fairlead::peer {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::ip::tcp;
using asio::ip::udp;
using Clock = std::chrono::steady_clock;
using Counts = std::map<std::string, unsigned>;

struct Tally {
  unsigned answered = 0;
  unsigned failed = 0;
  Counts servers;
  Counts failures;
  Counts seen_as;
  std::vector<long> latencies;  // of the answered, microseconds
};

// The kernel retries a SYN by itself, which belongs to TCP; a datagram is sent once.
template <class Protocol>
asio::awaitable<Outcome> connect_and_exchange(const Endpoint& to, std::string request) {
  const typename Protocol::endpoint remote(to.address, to.port);
  typename Protocol::socket socket(co_await asio::this_coro::executor);
  boost::system::error_code refused;
  socket.open(remote.protocol(), refused);
  if (refused) co_return Outcome{refused, {}, {}};
  if constexpr (std::is_same_v<Protocol, udp>) hear_all_errors(socket.native_handle());
  const auto [error] = co_await socket.async_connect(remote, asio::as_tuple(asio::use_awaitable));
  if (error) co_return Outcome{error, {}, {}};
  co_return co_await exchange(socket, std::move(request));
}

void note(Tally& tally, const Outcome& outcome, Clock::duration took) {
  if (outcome.error) {
    ++tally.failed;
    ++tally.failures[kind_of(outcome.error)];
    return;
  }
  ++tally.answered;
  ++tally.servers[outcome.server];
  ++tally.seen_as[outcome.seen_as];
  tally.latencies.push_back(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
}

// Takes the next request as long as there is one: `parallel` of these run at once.
asio::awaitable<void> work(const AskOptions& options, unsigned& next, Tally& tally) {
  while (next < options.count) {
    std::string request = std::to_string(++next) + " ";
    if (request.size() < options.size) request.resize(options.size, '.');
    const auto start = Clock::now();
    // Not one expression with ?: in it, which GCC 12 miscompiles in a coroutine.
    Outcome outcome;
    if (options.protocol == Protocol::Tcp) {
      outcome = co_await within(options.timeout, connect_and_exchange<tcp>(options.to, std::move(request)));
    } else {
      outcome = co_await within(options.timeout, connect_and_exchange<udp>(options.to, std::move(request)));
    }
    note(tally, outcome, Clock::now() - start);
  }
}

long quantile(const std::vector<long>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5)];
}

json::object as_json(const Counts& counts) {
  json::object object;
  for (const auto& [name, count] : counts)
    object[name] = count;
  return object;
}

void print_json(const Tally& tally) {
  const auto& sorted = tally.latencies;
  std::cout << json::serialize(json::object{{"answered", tally.answered},
                                            {"failed", tally.failed},
                                            {"servers", as_json(tally.servers)},
                                            {"failures", as_json(tally.failures)},
                                            {"seen_as", as_json(tally.seen_as)},
                                            {"latency_us", json::object{{"min", quantile(sorted, 0)},
                                                                        {"median", quantile(sorted, 0.5)},
                                                                        {"p99", quantile(sorted, 0.99)},
                                                                        {"max", quantile(sorted, 1)}}}})
            << std::endl;
}

void print_counts(const char* title, const Counts& counts) {
  for (const auto& [name, count] : counts)
    std::cout << "  " << std::left << std::setw(8) << title << " " << std::setw(24) << name << std::right
              << std::setw(8) << count << "\n";
}

void print_text(const AskOptions& options, const Tally& tally) {
  std::cout << (options.protocol == Protocol::Tcp ? "tcp " : "udp ") << to_text(options.to) << ": " << tally.answered
            << " answered, " << tally.failed << " failed\n";
  print_counts("server", tally.servers);
  print_counts("seen as", tally.seen_as);
  print_counts("failed", tally.failures);
  const auto& sorted = tally.latencies;
  if (sorted.empty()) return;
  std::cout << "  latency  min " << quantile(sorted, 0) << " us, median " << quantile(sorted, 0.5) << ", p99 "
            << quantile(sorted, 0.99) << ", max " << quantile(sorted, 1) << "\n";
}

}  // namespace

int ask(const AskOptions& options) {
  asio::io_context context(1);
  Tally tally;
  unsigned next = 0;
  for (unsigned i = 0; i < std::max(1U, options.parallel); ++i)
    asio::co_spawn(context, work(options, next, tally), [](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
    });
  context.run();
  std::sort(tally.latencies.begin(), tally.latencies.end());
  if (options.json) {
    print_json(tally);
  } else {
    print_text(options, tally);
  }
  return tally.failed == 0 ? 0 : 1;
}

}  // namespace fairlead::peer
