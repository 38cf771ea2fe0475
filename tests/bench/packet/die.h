// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "userspace/util/result.h"

namespace fairlead::bench {

// A benchmark that cannot measure what it says ends with the reason.
[[noreturn]] void die(const std::string& message);

template <class T>
T unwrap(Result<T> result) {
  if (!result) die(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void shell(const std::string& command);

}  // namespace fairlead::bench
