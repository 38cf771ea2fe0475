// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

#include "userspace/datapath/object.h"

namespace fairlead::datapath {

// Packets by enum lb_hook and enum lb_verdict, summed over CPUs. What has no name is 0.
using Verdicts = std::array<std::array<std::uint64_t, LB_VERDICT_ROOM>, LB_HOOK_ROOM>;
Verdicts read_verdicts(const Object& object);

// Summed over CPUs. A slot's counters go on from its last occupant's: reset_backend_stats() when it gets another.
lb_backend_stats read_backend_stats(const Object& object, std::uint32_t slot);
// Of the slots below `end`, in far fewer calls.
std::vector<lb_backend_stats> read_all_backend_stats(const Object& object, std::uint32_t end);
void reset_backend_stats(const Object& object, std::uint32_t slot);
void add(lb_backend_stats& sum, const lb_backend_stats& more);

// What each service port has counted, by lb_service.id, with what backends had that have left it: the slots of all are
// below `end`. May be called from another thread than the one that writes the maps.
std::vector<lb_backend_stats> read_service_stats(const Object& object, std::uint32_t end);

struct VerdictInfo {
  lb_verdict verdict;
  const char* name;  // "local_hit"
  const char* kind;  // "pass", "send" or "drop"
  const char* meaning;
};
struct HookInfo {
  lb_hook hook;
  const char* name;  // "tc_ingress"
};
// All that there are, by number.
const std::vector<VerdictInfo>& verdict_infos();
const std::vector<HookInfo>& hook_infos();

}  // namespace fairlead::datapath
