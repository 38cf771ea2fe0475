// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tests/support/peer/attempt.h"

// A plan has a line for each target:
//   {"id": 7, "protocol": "tcp", "to": "192.0.2.10:80", "tries": 24, "enough": 2, "group": "affinity"}
// and each gets a line of what was seen, when it is done:
//   {"id": 7, "answers": {"node1-pod1:8080 saw 10.200.0.10": 24}, "failures": {}, "fastest_ms": 1}
// Fewer tries will do where as many different answers as are enough came early. Targets of one group, which is
// optional, are tried one after another, and so are their tries.
namespace fairlead::peer {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using Counts = std::map<std::string, unsigned>;

// A try that takes longer waits for nothing but the end of silence, or an answer to a second SYN. Of such a target all
// other tries can be under way at once.
constexpr std::chrono::milliseconds kSlow{800};
constexpr unsigned kFewest = 8;  // tries, where there are more

struct Target {
  std::int64_t id = 0;
  Protocol protocol = Protocol::Tcp;
  Endpoint to;
  unsigned tries = 1;
  unsigned enough = 0;  // different answers; 0: never
  std::string group;

  unsigned started = 0;
  bool slow = false;  // at least one try was
  Counts answers;
  Counts failures;
  std::chrono::microseconds fastest = std::chrono::microseconds::max();

  bool is_done() const {
    return started >= tries || (enough > 0 && started >= kFewest && failures.empty() && answers.size() >= enough);
  }
};

Target read_target(const std::string& line) {
  const json::value value = json::parse(line);
  const json::object& object = value.as_object();
  const auto to = parse_endpoint(json::value_to<std::string>(object.at("to")));
  if (!to) throw std::invalid_argument("not a target: " + line);
  Target target;
  target.id = object.at("id").as_int64();
  target.protocol = object.at("protocol").as_string() == "tcp" ? Protocol::Tcp : Protocol::Udp;
  target.to = *to;
  target.tries = json::value_to<unsigned>(object.at("tries"));
  if (const json::value* enough = object.if_contains("enough")) target.enough = json::value_to<unsigned>(*enough);
  if (const json::value* group = object.if_contains("group")) target.group = json::value_to<std::string>(*group);
  return target;
}

json::object as_json(const Counts& counts) {
  json::object object;
  for (const auto& [name, count] : counts)
    object[name] = count;
  return object;
}

// Targets that are tried one after another.
using Queue = std::list<Target>;

// How many may be busy at once.
class Slots {
 public:
  Slots(asio::io_context& context, unsigned free)
      : freed_(context, asio::steady_timer::time_point::max()), free_(free) {}

  asio::awaitable<void> take() {
    while (free_ == 0)
      co_await freed_.async_wait(asio::as_tuple(asio::use_awaitable));
    --free_;
  }

  void give_back() {
    ++free_;
    freed_.cancel_one();
  }

 private:
  asio::steady_timer freed_;
  unsigned free_;
};

class Prober {
 public:
  explicit Prober(const ProbeOptions& options) : options_(options), slots_(context_, std::max(1U, options.parallel)) {}

  void read() {
    std::ifstream file(options_.plan);
    if (!file) throw std::runtime_error("cannot read " + options_.plan);
    std::map<std::string, Queue> groups;
    for (std::string line; std::getline(file, line);) {
      Target target = read_target(line);
      if (target.group.empty())
        queues_.push_back({std::move(target)});
      else
        groups[target.group].push_back(std::move(target));
    }
    // They take longest.
    for (auto& [name, queue] : groups)
      queues_.push_front(std::move(queue));
  }

  void run() {
    for (Queue& queue : queues_)
      spawn(work(queue));
    context_.run();
  }

 private:
  void spawn(asio::awaitable<void> task) {
    asio::co_spawn(context_, std::move(task), [](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
    });
  }

  asio::awaitable<void> work(Queue& queue) {
    for (Target& target : queue) {
      while (!target.is_done() && !target.slow)
        co_await try_busily(target);
      co_await try_the_rest(target);
      print(target);
    }
  }

  // In a slot, until it is slow.
  asio::awaitable<void> try_busily(Target& target) {
    co_await slots_.take();
    // Shared, because the timer may be heard of after the end of this.
    const auto idle = [this, busy = std::make_shared<bool>(true)] {
      if (std::exchange(*busy, false)) slots_.give_back();
    };
    asio::steady_timer slow(context_, kSlow);
    slow.async_wait([idle](const boost::system::error_code& error) {
      if (!error) idle();
    });
    ++target.started;
    co_await try_once(target);
    idle();
  }

  asio::awaitable<void> try_once(Target& target) {
    const Attempt outcome = co_await attempt(target.protocol, target.to, options_.timeout);
    ++(outcome.failure.empty() ? target.answers[outcome.answer] : target.failures[outcome.failure]);
    target.fastest = std::min(target.fastest, outcome.took);
    target.slow |= outcome.took > kSlow;
  }

  // All at once.
  asio::awaitable<void> try_the_rest(Target& target) {
    asio::steady_timer done(context_, asio::steady_timer::time_point::max());
    unsigned running = 0;
    const auto one = [&]() -> asio::awaitable<void> {
      co_await try_once(target);
      if (--running == 0) done.cancel();
    };
    for (; !target.is_done(); ++target.started, ++running)
      spawn(one());
    if (running > 0) co_await done.async_wait(asio::as_tuple(asio::use_awaitable));
  }

  static void print(const Target& target) {
    const auto fastest = std::chrono::duration_cast<std::chrono::milliseconds>(target.fastest);
    std::cout << json::serialize(json::object{{"id", target.id},
                                              {"answers", as_json(target.answers)},
                                              {"failures", as_json(target.failures)},
                                              {"fastest_ms", fastest.count()}})
              << "\n";
  }

  ProbeOptions options_;
  asio::io_context context_{1};
  Slots slots_;
  std::list<Queue> queues_;
};

}  // namespace

int probe(const ProbeOptions& options) {
  Prober prober(options);
  prober.read();
  prober.run();
  std::cout.flush();
  return 0;
}

}  // namespace fairlead::peer
