// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "userspace/datapath/attachment.h"
#include "userspace/host/tc_filters.h"
#include "userspace/util/result.h"

namespace fairlead::datapath {

// Where our filters stand on either side of a device's clsact qdisc.
constexpr std::uint32_t kFilterHandle = 0xfa1;
constexpr std::uint32_t kFilterPriority = 1;

// By place, and by how our programs' names begin: so a later daemon, or --cleanup, knows them.
bool is_ours(const host::TcFilter& filter);

host::TcSide side_of(Hook hook);

// Why the device, whose qdisc is of this kind and has these filters on the hook's side, can have none of ours there.
std::optional<Error> obstacle(int ifindex, const std::string& qdisc, Hook hook,
                              const std::vector<host::TcFilter>& filters);

}  // namespace fairlead::datapath
