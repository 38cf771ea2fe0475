// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "userspace/util/result.h"

namespace fairlead::host {

// The kind of the qdisc that has a device's filters, by ifindex. A device has one of either kind: "clsact", or
// "ingress", which has one side and takes filters for egress for such of that one.
Result<std::map<int, std::string>> tc_filter_qdiscs();

// A clsact qdisc does not tell who made it. So it gets a mark: a chain of filters of this number, on its ingress side,
// which no filter is ever in. It outlives all filters, goes with the qdisc, and costs packets nothing.
//
// Both are made in one call, so that a process that is killed leaves both or neither. EEXIST where there is a qdisc of
// either kind.
Result<> make_marked_clsact(int ifindex, std::uint32_t mark);
Result<bool> is_marked_clsact(int ifindex, std::uint32_t mark);
// Where device, qdisc or mark have gone it is as it should be.
Result<> remove_clsact(int ifindex);
Result<> remove_clsact_mark(int ifindex, std::uint32_t mark);

}  // namespace fairlead::host
