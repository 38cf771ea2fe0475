// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "userspace/util/result.h"

namespace fairlead::host {

// Asks rtnetlink for everything of a kind (RTM_GET...) that the header narrows down to, and visits each message of the
// answer. On a socket of its own, so that the answer is not mixed with notifications.
Result<> netlink_dump(int type, std::span<const std::byte> header, const std::function<void(const nlmsghdr*)>& visit);

}  // namespace fairlead::host
