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
  }
  return devices;
}

TEST(DeviceChoice, IsByName) {
  const auto choice = choose_devices({"eth0", "up2"}, devices({{1, "lo"}, {2, "eth0"}, {7, "up2"}}), {});
  EXPECT_THAT(choice.ifindices, UnorderedElementsAre(Pair("eth0", 2), Pair("up2", 7)));
  EXPECT_THAT(choice.missing, IsEmpty());
}

TEST(DeviceChoice, WhatIsNotThereIsSaid) {
  const auto choice = choose_devices({"eth0", "eth7"}, devices({{2, "eth0"}}), {});
  EXPECT_THAT(choice.ifindices, ElementsAre(Pair("eth0", 2)));
  EXPECT_THAT(choice.missing, ElementsAre("attach to device eth7: No such device"));
}

TEST(DeviceChoice, OutlivesARename) {
  DeviceChoice choice = choose_devices({"eth0"}, devices({{2, "eth0"}}), {});
  choice = choose_devices({"eth0"}, devices({{2, "wan0"}}), choice);
  EXPECT_THAT(choice.ifindices, ElementsAre(Pair("eth0", 2)));
  EXPECT_THAT(choice.missing, ElementsAre(HasSubstr("wan0, which was, keeps its programs")));
  choice = choose_devices({"eth0"}, devices({{2, "wan0"}}), choice);
  EXPECT_THAT(choice.ifindices, ElementsAre(Pair("eth0", 2))) << "again";
}

TEST(DeviceChoice, IsOfWhoHasTheNameNow) {
  const auto before = choose_devices({"eth0"}, devices({{2, "eth0"}}), {});
  const auto choice = choose_devices({"eth0"}, devices({{2, "wan0"}, {5, "eth0"}}), before);
  EXPECT_THAT(choice.ifindices, ElementsAre(Pair("eth0", 5)));
  EXPECT_THAT(choice.missing, IsEmpty());
}

TEST(DeviceChoice, EndsWithTheDevice) {
  auto choice = choose_devices({"eth0"}, devices({{2, "eth0"}}), {});
  choice = choose_devices({"eth0"}, devices({{3, "other"}}), choice);
  EXPECT_THAT(choice.ifindices, IsEmpty());
  EXPECT_THAT(choice.missing, ElementsAre("attach to device eth0: No such device"));
  choice = choose_devices({"eth0"}, devices({{2, "stranger"}}), choice);
  EXPECT_THAT(choice.ifindices, IsEmpty()) << "the number alone is no identity";
}

}  // namespace
}  // namespace fairlead::daemon
