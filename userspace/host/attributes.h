// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "userspace/util/address.h"

struct nlattr;
struct nlmsghdr;

namespace fairlead::host {

// The attributes of a netlink message by type, the last of each. They point into the message.
using Attributes = std::map<std::uint16_t, const nlattr*>;

// Those behind a message's own header (ifinfomsg, rtmsg, ...) of this size.
Attributes attributes(const nlmsghdr* message, std::size_t header);
// Those within another one.
Attributes nested(const nlattr* outer);

// Null where there is none.
const nlattr* get(const Attributes& all, std::uint16_t type);

// Nothing where there is no attribute, or none of the length of such an address.
std::optional<Address> address_of(const nlattr* attribute, int family);

}  // namespace fairlead::host
