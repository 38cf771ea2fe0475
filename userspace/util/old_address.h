// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "userspace/util/address.h"

namespace fairlead {

// What Kubernetes accepted once, and objects of that time may have, beside what it accepts today: leading zeros in the
// numbers of an IPv4 address, which are decimal all the same, and an IPv4-mapped address, which is the IPv4 address.
std::optional<Address> parse_old_address(std::string_view text);
// The length behind a mapped address counts from where that begins, and so is 96 at least.
std::optional<Prefix> parse_old_prefix(std::string_view text);

}  // namespace fairlead
