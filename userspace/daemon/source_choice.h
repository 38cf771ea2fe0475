// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "userspace/util/address.h"

namespace fairlead::daemon {

// What there is to choose the source address of SNAT from.
struct SourceOffer {
  std::vector<Address> asked;     // --snat-addresses
  std::vector<Address> internal;  // the Node's InternalIPs
  std::set<Address> own;          // this node's addresses
  std::function<bool(const Address&)> is_service;
};

// What a backend elsewhere is to see. Its answers must come to this node and to no other, so an address of a service is
// the last resort: what was asked for, what the route says, the Node's InternalIP, any other that the device on the way
// has, or this node at all. Nothing where this node has no address of the family.
std::optional<Address> choose_source(const SourceOffer& offer, Family family, const std::optional<Address>& by_route,
                                     const std::vector<Address>& on_device);

}  // namespace fairlead::daemon
