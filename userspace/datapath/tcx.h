// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <vector>

#include "userspace/datapath/attachment.h"
#include "userspace/util/result.h"

namespace fairlead::datapath {

// Headers before libbpf 1.3 lack them; programs on tcx are seen all the same, whoever put them there.
constexpr auto kTcxIngress = static_cast<bpf_attach_type>(46), kTcxEgress = static_cast<bpf_attach_type>(47);

// Of one of tc's hooks.
bpf_attach_type tcx_type(Hook hook);

// The ids of a device's tcx programs, in the order in which they run. None where device or kernel have no such thing.
Result<std::vector<std::uint32_t>> tcx_programs(int ifindex, Hook hook);

}  // namespace fairlead::datapath
