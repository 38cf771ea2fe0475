// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/device_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

std::map<int, host::Device> devices(const std::map<int, std::string>& names) {
  std::map<int, host::Device> devices;
  for (const auto& [ifindex, name] : names) {
    devices[ifindex].ifindex = ifindex;
    devices[ifindex].name = name;
    devices[ifindex].ethernet = true;
  }
  return devices;
}

const std::set<int> kNoRoutes;

DeviceChoice choose(const std::vector<std::string>& names, const std::map<int, host::Device>& devices,
                    const DeviceChoice& before, const std::set<int>& default_routes = kNoRoutes) {
  return choose_devices(names, {devices, default_routes, {}, {}}, before);
}

TEST(DeviceChoice, IsByName) {
  const auto choice = choose({"eth0", "up2"}, devices({{1, "lo"}, {2, "eth0"}, {7, "up2"}}), {});
  EXPECT_THAT(choice.ifindices, UnorderedElementsAre(Pair("eth0", 2), Pair("up2", 7)));
  EXPECT_THAT(choice.desired, ElementsAre(2, 7));
  EXPECT_THAT(choice.problems, IsEmpty());
}

TEST(DeviceChoice, WhatIsNotThereIsSaid) {
  const auto choice = choose({"eth0", "eth7"}, devices({{2, "eth0"}}), {});
  EXPECT_THAT(choice.ifindices, ElementsAre(Pair("eth0", 2)));
  EXPECT_THAT(choice.problems, ElementsAre("attach to device eth7: No such device"));
}

TEST(DeviceChoice, OutlivesARename) {
  DeviceChoice choice = choose({"eth0"}, devices({{2, "eth0"}}), {});
  choice = choose({"eth0"}, devices({{2, "wan0"}}), choice);
  EXPECT_THAT(choice.ifindices, ElementsAre(Pair("eth0", 2)));
  EXPECT_THAT(choice.problems, ElementsAre(HasSubstr("wan0, which was, keeps its programs")));
  choice = choose({"eth0"}, devices({{2, "wan0"}}), choice);
  EXPECT_THAT(choice.ifindices, ElementsAre(Pair("eth0", 2))) << "again";
}

TEST(DeviceChoice, IsOfWhoHasTheNameNow) {
  const auto before = choose({"eth0"}, devices({{2, "eth0"}}), {});
  const auto choice = choose({"eth0"}, devices({{2, "wan0"}, {5, "eth0"}}), before);
  EXPECT_THAT(choice.ifindices, ElementsAre(Pair("eth0", 5)));
  EXPECT_THAT(choice.problems, IsEmpty());
}

TEST(DeviceChoice, EndsWithTheDevice) {
  auto choice = choose({"eth0"}, devices({{2, "eth0"}}), {});
  choice = choose({"eth0"}, devices({{3, "other"}}), choice);
  EXPECT_THAT(choice.ifindices, IsEmpty());
  EXPECT_THAT(choice.problems, ElementsAre("attach to device eth0: No such device"));
  choice = choose({"eth0"}, devices({{2, "stranger"}}), choice);
  EXPECT_THAT(choice.ifindices, IsEmpty()) << "the number alone is no identity";
}

TEST(DeviceChoice, IsOfDefaultRoutesWhereNoneIsNamed) {
  const auto all = devices({{2, "eth0"}, {7, "up2"}, {8, "up3"}});
  EXPECT_THAT(choose({}, all, {}, {7, 2, 9}).desired, ElementsAre(2, 7));
  EXPECT_THAT(choose({"up3", "eth0", "up3"}, all, {}, {7}).desired, ElementsAre(8, 2)) << "in the order of the names";
  EXPECT_THAT(choose({}, all, choose({}, all, {}, {7}), {2}).desired, ElementsAre(2, 7)) << "the route is another's";
  EXPECT_THAT(choose({}, devices({{2, "eth0"}}), choose({}, all, {}, {7}), {2}).desired, ElementsAre(2)) << "7 is gone";
  EXPECT_THAT(choose({}, all, {}).problems, ElementsAre(HasSubstr("no device to attach to: no default route")));
}

TEST(DeviceChoice, IsAlsoOfInternalIpsAndOfWaysWhereNoneIsNamed) {
  auto all = devices({{1, "lo"}, {2, "eth0"}, {3, "eth1"}, {4, "eth2"}, {5, "eth3"}});
  const Address node = Address::literal("10.0.0.5"), more = Address::literal("fd00::5");
  all[1].loopback = true;
  all[1].addresses = {node};
  all[4].addresses = {Address::literal("10.0.0.4"), node};
  const auto offer = [&](const std::set<int>& ways) { return DeviceOffer{all, kNoRoutes, {node, more}, ways}; };
  DeviceChoice choice = choose_devices({}, offer({1, 3}), {});
  EXPECT_THAT(choice.desired, ElementsAre(4, 3));
  EXPECT_THAT(choice.problems, IsEmpty());
  choice = choose_devices({}, offer({2}), choice);
  EXPECT_THAT(choice.desired, ElementsAre(4, 3, 2)) << "the ways are others'";
  EXPECT_THAT(choose_devices({"eth3"}, offer({1, 3}), {}).desired, ElementsAre(5));
}

TEST(DeviceChoice, LeavesOutWhatIsNoEthernetDevice) {
  auto all = devices({{2, "eth0"}, {3, "tun0"}});
  all[3].ethernet = false;
  const auto choice = choose({}, all, {}, {2, 3});
  EXPECT_THAT(choice.desired, ElementsAre(2));
  EXPECT_THAT(choice.problems, ElementsAre("attach to device tun0: not an Ethernet device"));
}

TEST(DeviceChoice, HasRoomForTheFirstThatAreAskedFor) {
  std::map<int, std::string> names;
  std::vector<std::string> asked;
  for (int i = 66; i > 0; --i) {
    names[i] = "up" + std::to_string(i);
    asked.push_back(names[i]);
  }
  asked.push_back("up66");
  const auto choice = choose(asked, devices(names), {});
  EXPECT_THAT(choice.desired, testing::SizeIs(64));
  EXPECT_EQ(choice.desired.front(), 66);
  EXPECT_THAT(choice.problems, ElementsAre("attach to device up2: lbd can be on no more than 64 devices",
                                           "attach to device up1: lbd can be on no more than 64 devices"));
}

}  // namespace
}  // namespace fairlead::daemon
