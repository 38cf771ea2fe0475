// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/state/delta.h"

namespace fairlead::state {

// What the maps shall hold, and which keys of it have changed since somebody looked.
struct Desired {
  Tables tables;
  Touched touched;
};

inline lb_address_key address_key(const lb_addr& addr, std::uint8_t family) {
  return {addr, family};
}

inline lb_address_key address_key(const lb_service_key& frontend) {
  return address_key(frontend.addr, frontend.family);
}

// A NodePort is a frontend of no address in particular.
inline bool is_nodeport(const lb_service_key& frontend) {
  return from_abi(frontend.addr, frontend.family).is_unspecified();
}

inline bool is_family(std::uint8_t family) {
  return family == LB_AF_INET || family == LB_AF_INET6;
}

}  // namespace fairlead::state
