// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "userspace/kube/api/pace.h"

namespace fairlead::kube {

// When an API server was last heard by any of those who share this: each answer and each piece of one counts.
class Pulse {
 public:
  void beat() { last_ = Clock::now(); }
  // Nothing before the first time.
  const std::optional<Clock::time_point>& last() const { return last_; }

 private:
  std::optional<Clock::time_point> last_;
};

}  // namespace fairlead::kube
