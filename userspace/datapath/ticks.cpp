// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/ticks.h"

#include <time.h>

namespace fairlead::datapath {

std::uint32_t jiffies_per_second() {
  constexpr long kSecond = 1'000'000'000;
  timespec resolution{};
  clock_getres(CLOCK_MONOTONIC_COARSE, &resolution);
  return static_cast<std::uint32_t>(kSecond / std::clamp(resolution.tv_nsec, 1L, kSecond));
}

}  // namespace fairlead::datapath
