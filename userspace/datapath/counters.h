// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

#include "userspace/datapath/object.h"

namespace fairlead::datapath {

// Packets by hook and verdict, summed over CPUs.
using Verdicts = std::array<std::array<std::uint64_t, LB_VERDICT_COUNT>, LB_HOOK_COUNT>;
Verdicts read_verdicts(const Object& object);

// Summed over CPUs. A slot's counters go on from its last occupant's: reset_backend_stats() when it gets another.
lb_backend_stats read_backend_stats(const Object& object, std::uint32_t slot);
// Of all slots, in far fewer calls.
std::vector<lb_backend_stats> read_backend_stats(const Object& object);
void reset_backend_stats(const Object& object, std::uint32_t slot);

struct VerdictInfo {
  const char* name;  // "local_hit"
  const char* kind;  // "pass", "send" or "drop"
  const char* meaning;
};
// By enum lb_verdict.
const std::array<VerdictInfo, LB_VERDICT_COUNT>& verdict_infos();
// By enum lb_hook: "xdp", "tc_ingress", "tc_egress".
const std::array<const char*, LB_HOOK_COUNT>& hook_names();

}  // namespace fairlead::datapath
