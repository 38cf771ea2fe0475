// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "userspace/datapath/layout.h"

namespace fairlead::datapath {

// How a key or value of one layout becomes one of another: fields are matched by their path and keep their number,
// whatever its width. Fields that are new, and new elements of an array, become zero; those that are gone are dropped.
class Plan {
 public:
  Plan(const Record& from, const Record& to);

  // Fills all of `to`. False where a number is too large for its new field, or an element for which there is no room is
  // not zero. Both are as large as their records.
  bool apply(std::span<const std::byte> from, std::span<std::byte> to) const;

 private:
  struct Step {
    Field from;
    Field to;
  };
  std::vector<Step> steps_;
};

// The fields whose path begins with this, with the rest of their path. Offsets stay.
Record part_of(const Record& record, const std::string& prefix);

}  // namespace fairlead::datapath
