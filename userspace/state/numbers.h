// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>

namespace fairlead::state {

// Gives numbers away from 0 on, the lowest that is free first. Who asks sees to it that there are not too many.
class Numbers {
 public:
  std::uint32_t take() {
    if (free_.empty()) return end_++;
    return free_.extract(free_.begin()).value();
  }
  void give_back(std::uint32_t number) { free_.insert(number); }
  std::uint32_t used() const { return end_ - static_cast<std::uint32_t>(free_.size()); }

  // All that were ever taken are smaller.
  std::uint32_t end() const { return end_; }

  // These keys are taken, and no others.
  template <class Content>
  void adopt(const Content& taken) {
    for (const auto& [number, value] : taken)
      end_ = std::max(end_, number + 1);
    for (std::uint32_t number = 0; number < end_; ++number)
      if (!taken.contains(number)) free_.insert(number);
  }

 private:
  std::set<std::uint32_t> free_;  // below end_
  std::uint32_t end_ = 0;
};

}  // namespace fairlead::state
