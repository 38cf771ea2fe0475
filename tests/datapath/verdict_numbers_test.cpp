// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "userspace/datapath/counters.h"

namespace fairlead::test {
namespace {

TEST(VerdictNumbers, EachVerdictHasANumberOfItsKind) {
  const std::map<std::string, std::uint32_t> first{
      {"pass", LB_VERDICT_FIRST_PASS}, {"send", LB_VERDICT_FIRST_SEND}, {"drop", LB_VERDICT_FIRST_DROP}};
  std::set<std::uint32_t> numbers;
  std::set<std::string> names;
  for (const auto& info : datapath::verdict_infos()) {
    EXPECT_TRUE(numbers.insert(info.verdict).second) << info.name << " has another verdict's number";
    EXPECT_TRUE(names.insert(info.name).second) << info.name << " stands twice";
    ASSERT_TRUE(first.contains(info.kind)) << info.name << " is of kind " << info.kind;
    EXPECT_GE(info.verdict, first.at(info.kind)) << info.name;
    EXPECT_LT(info.verdict, first.at(info.kind) + LB_VERDICT_KIND_ROOM) << info.name;
    EXPECT_LT(info.verdict, LB_VERDICT_ROOM) << info.name;
  }
}

TEST(VerdictNumbers, EachHookHasItsOwnRoom) {
  std::set<std::uint32_t> numbers;
  std::set<std::string> names;
  for (const auto& info : datapath::hook_infos()) {
    EXPECT_TRUE(numbers.insert(info.hook).second) << info.name << " has another hook's number";
    EXPECT_TRUE(names.insert(info.name).second) << info.name << " stands twice";
    EXPECT_LT(info.hook, LB_HOOK_ROOM) << info.name;
  }
}

// The numbers that have been in use: counters under them are still there after an upgrade. New ones are added at a
// release.
TEST(VerdictNumbers, StayWhatTheyWere) {
  const std::map<std::string, std::uint32_t> kVerdicts{{"not_ours", 1},
                                                       {"no_service", 2},
                                                       {"unresolved", 3},
                                                       {"local_hit", 4},
                                                       {"local_new", 5},
                                                       {"local_reply", 6},
                                                       {"icmp_local", 7},
                                                       {"remote_hit", 32},
                                                       {"remote_new", 33},
                                                       {"remote_reply", 34},
                                                       {"icmp_remote", 35},
                                                       {"answer_no_backend", 36},
                                                       {"answer_backend_gone", 37},
                                                       {"answer_closed_port", 38},
                                                       {"answer_echo", 39},
                                                       {"answer_time_exceeded", 40},
                                                       {"answer_too_big", 41},
                                                       {"malformed", 64},
                                                       {"policy", 65},
                                                       {"rate_limited", 66},
                                                       {"snat_exhausted", 67},
                                                       {"flow_table_full", 68},
                                                       {"flow_busy", 69},
                                                       {"no_flow", 70},
                                                       {"fragment_unknown", 71},
                                                       {"no_route", 72},
                                                       {"egress_unmanaged", 73},
                                                       {"unsupported", 74},
                                                       {"broken_reference", 75},
                                                       {"not_ip", 0}};
  const std::map<std::string, std::uint32_t> kHooks{{"xdp", 0}, {"tc_ingress", 1}, {"tc_egress", 2}};
  std::map<std::string, std::uint32_t> verdicts, hooks;
  for (const auto& info : datapath::verdict_infos())
    verdicts[info.name] = info.verdict;
  for (const auto& info : datapath::hook_infos())
    hooks[info.name] = info.hook;
  for (const auto& [name, number] : kVerdicts)
    EXPECT_EQ(verdicts.at(name), number) << name;
  for (const auto& [name, number] : kHooks)
    EXPECT_EQ(hooks.at(name), number) << name;
}

}  // namespace
}  // namespace fairlead::test
