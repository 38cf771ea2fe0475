// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/way_problems.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Family k4 = Family::IPv4, k6 = Family::IPv6;

// A node on which nothing is wrong.
NodeSettings good() {
  NodeSettings settings;
  settings.served = settings.with_a_default = {k4, k6};
  settings.uplinks.push_back({"eth0", {}, 2, true});
  return settings;
}

TEST(WayProblems, AreNoneWhereAllIsWell) {
  EXPECT_THAT(find_way_problems(good()), IsEmpty());
}

TEST(WayProblems, AreOfFamiliesThatAreServed) {
  NodeSettings settings = good();
  settings.uplinks[0].not_forwarding = {k4, k6};
  settings.ipv6_forwarding = false;
  settings.with_a_default = {};
  EXPECT_EQ(find_way_problems(settings).size(), 5u);
  settings.served = {k4};
  EXPECT_THAT(find_way_problems(settings), ElementsAre(HasSubstr("net.ipv4.ip_forward"), HasSubstr("no IPv4 default")));
  settings.served = {};
  EXPECT_THAT(find_way_problems(settings), IsEmpty());
}

// The kernel goes by the higher of the device's number and that of all.
TEST(WayProblems, AStrictFilterIsOneWhereTheDefaultRouteIsElsewhere) {
  NodeSettings settings = good();
  settings.uplinks[0] = {"eth1", {}, 1, true};
  EXPECT_THAT(find_way_problems(settings), IsEmpty());
  settings.uplinks[0].has_default = false;
  EXPECT_THAT(find_way_problems(settings), ElementsAre(HasSubstr("net.ipv4.conf.eth1.rp_filter")));
  settings.rp_filter_of_all = 2;
  EXPECT_THAT(find_way_problems(settings), IsEmpty());
  settings.rp_filter_of_all = 1;
  settings.uplinks[0].rp_filter = 0;
  EXPECT_THAT(find_way_problems(settings), ElementsAre(HasSubstr("net.ipv4.conf.all.rp_filter")));
}

TEST(WayProblems, AnInternalIpIsOneOfADeviceWithoutPrograms) {
  NodeSettings settings = good();
  settings.internal_ips = {{Address::literal("10.0.0.1"), "eth0", true}, {Address::literal("10.0.1.1"), "eth1", false}};
  EXPECT_THAT(find_way_problems(settings), ElementsAre(HasSubstr("10.0.1.1 is an address of eth1")));
}

TEST(WayProblems, AWayThatPacketsCouldNotTakeIsOne) {
  NodeSettings settings = good();
  settings.lost_ways = {"tun0"};
  EXPECT_THAT(find_way_problems(settings), ElementsAre(HasSubstr("is by tun0, which lbd is not on")));
}

}  // namespace
}  // namespace fairlead::daemon
