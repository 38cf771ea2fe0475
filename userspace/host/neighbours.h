// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "userspace/util/address.h"

struct nlmsghdr;

namespace fairlead::host {

// The neighbours whose MAC address may be used, as rtnetlink has told.
class Neighbours {
 public:
  // A message of the kernel; true: a MAC address that somebody may have cached is not good any more.
  bool handle(const nlmsghdr* message);

  // Has the kernel confirm those of these devices that it has not heard of for a while. Packets that XDP forwards do
  // not pass the kernel's neighbour code, which would otherwise never notice that one has gone or changed its MAC
  // address.
  void confirm(const std::set<int>& ifindices) const;

 private:
  struct Neighbour {
    std::array<std::uint8_t, 6> mac{};
    bool stale = false;
  };

  std::map<std::pair<int, Address>, Neighbour> neighbours_;
};

}  // namespace fairlead::host
