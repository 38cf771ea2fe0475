// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <future>
#include <string>
#include <thread>
#include <type_traits>

#include "userspace/util/result.h"

namespace fairlead::test {

// Moves the calling thread, and no other, into /run/netns/<name>.
Result<> enter_namespace(const std::string& name);

template <class T>
struct ResultOf {
  using Type = Result<T>;
};
template <class T>
struct ResultOf<Result<T>> {
  using Type = Result<T>;
};

// Runs `function` on a thread of its own inside the namespace. Sockets made there stay there, whichever thread uses
// them afterwards. Returns what the function does, as a Result if it is none; exceptions come through.
template <class Function>
auto in_namespace(const std::string& name, Function function) {
  using Value = std::invoke_result_t<Function&>;
  using Outcome = typename ResultOf<Value>::Type;
  std::packaged_task<Outcome()> task([&]() -> Outcome {
    if (auto entered = enter_namespace(name); !entered) return entered.error();
    if constexpr (std::is_void_v<Value>) {
      function();
      return {};
    } else {
      return function();
    }
  });
  auto outcome = task.get_future();
  std::jthread(std::move(task)).join();
  return outcome.get();
}

}  // namespace fairlead::test
