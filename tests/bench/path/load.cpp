// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/path/load.h"

#include <vector>

namespace fairlead::bench {

Result run_load(const LoadOptions& options) {
  using Clock = Worker::Clock;
  Result result;
  const Poll poll;
  const bool streams = options.kind == Kind::Download || options.kind == Kind::Upload;
  const auto begin = Clock::now(), end = begin + options.duration;
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::uint64_t id = 0; id < options.sockets; ++id) {
    workers.push_back((streams ? make_stream_worker : make_request_worker)(options, poll, result));
    workers.back()->start(id, begin);
  }
  auto next_check = begin;
  for (auto now = begin; now < end; now = Clock::now()) {
    poll.run_once([&](std::uint64_t id, std::uint32_t events) { workers[id]->handle(events, Clock::now()); });
    if (now < next_check) continue;
    for (const auto& worker : workers)
      worker->check_time(now);
    next_check = now + std::chrono::milliseconds(50);
  }
  result.took = Clock::now() - begin;
  return result;
}

}  // namespace fairlead::bench
