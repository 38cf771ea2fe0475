// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

#include "userspace/model/name.h"

namespace fairlead::source {

// What a store may lack: objects that are asked for and could not be read since this process began. Whatever an earlier
// process made of them is no worse than what can be made without them.
struct Unread {
  bool anything = false;           // nobody knows of what
  std::set<model::Name> services;  // something of these Services: their object, or endpoints

  bool empty() const { return !anything && services.empty(); }
  void merge(const Unread& other) {
    anything |= other.anything;
    services.insert(other.services.begin(), other.services.end());
  }
  bool operator==(const Unread&) const = default;
};

}  // namespace fairlead::source
