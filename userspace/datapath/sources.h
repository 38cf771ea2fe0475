// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "maps/backend.h"

namespace fairlead::datapath {

// Which address of this node SNAT sends from towards each backend: lb_sources, and each backend's index into it. Both
// are mapped, and outlive this.
class Sources {
 public:
  Sources(std::span<lb_source> addresses, std::span<lb_backend> backends)
      : addresses_(addresses), backends_(backends) {}

  // Of new flows, from now on. Zero, and an address beyond those that there is room for, is that of the device on the
  // way.
  void set(std::uint32_t slot, const lb_addr& source);

 private:
  std::uint32_t index_of(const lb_addr& source);
  std::uint32_t take_place();

  std::span<lb_source> addresses_;
  std::span<lb_backend> backends_;
  std::uint32_t last_taken_ = 0;
};

}  // namespace fairlead::datapath
