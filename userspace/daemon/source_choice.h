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

// What a backend elsewhere is to see. Its answers must come to this node and to no other, so of what was asked for,
// what the route says, the Node's InternalIP and what the device on the way has the first is taken that no service has;
// the InternalIP is this node's though one has it, as with externalIPs of nodes. Where services have all of these the
// route and the device count still: what another device has, a bridge for containers say, leads nowhere from there.
// That is for where they say nothing. Nothing where this node has no address of the family.
std::optional<Address> choose_source(const SourceOffer& offer, Family family, const std::optional<Address>& by_route,
                                     const std::vector<Address>& on_device);

}  // namespace fairlead::daemon
