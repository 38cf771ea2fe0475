// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "userspace/state/tables.h"

namespace fairlead::state {

// What one service port shall be, before it has a place in the maps.

struct BackendSpec {
  lb_service_key endpoint{};  // address, port, protocol, family of the backend
  std::uint32_t flags = 0;    // LB_BACKEND_*
  // Otherwise it has no place in the maps, and flows that it has go on with another at once.
  bool keeps_flows = true;
};

// A set of backends that new flows are spread over, or what happens to them when it is empty.
struct PoolSpec {
  std::vector<std::uint32_t> members;  // indices into PortSpec::backends, in the ring's order; empty: flags decide
  Ring ring;                           // indices into members; null exactly when members is empty
  std::uint32_t flags = 0;             // LB_SERVICE_REJECT or LB_SERVICE_DROP when members is empty, else 0
  bool for_nobody = false;             // it has no members whatever endpoints there are
};

struct FrontendSpec {
  lb_service_key key{};    // an unspecified address is a NodePort
  std::uint32_t pool = 0;  // index into PortSpec::pools
};

struct PortSpec {
  std::string name;  // "namespace/name:port/PROTO/family", the identity
  // For people; the maps do not have it.
  std::uint16_t source_port = 0;  // host order
  std::uint8_t protocol = 0;
  std::uint8_t family = 0;
  // Every endpoint that exists, also those that no pool uses: a flow ends only when its backend is not here any more.
  std::vector<BackendSpec> backends;
  std::vector<PoolSpec> pools;
  std::vector<FrontendSpec> frontends;
};

// An address of this node.
struct NodeAddress {
  lb_addr addr{};
  std::uint8_t family = 0;
  bool nodeports = false;  // NodePorts are served on it

  bool operator==(const NodeAddress& other) const {
    return AbiEqual{}(addr, other.addr) && family == other.family && nodeports == other.nodeports;
  }
};

}  // namespace fairlead::state
