// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/source_choice.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fairlead::daemon {
namespace {

const Address kRoute = Address::literal("10.0.0.9"), kInternal = Address::literal("10.0.0.5"),
              kDevice = Address::literal("10.0.0.7"), kAsked = Address::literal("10.0.0.8"),
              kElsewhere = Address::literal("10.0.0.1"), kStranger = Address::literal("198.51.100.1"),
              kIpv6 = Address::literal("fd00::5");

class SourceChoice : public testing::Test {
 protected:
  std::string choose(Family family = Family::IPv4) {
    offer_.is_service = [this](const Address& address) { return services_.contains(address); };
    const auto chosen = choose_source(offer_, family, route_, on_device_);
    return chosen ? chosen->to_string() : "none";
  }

  SourceOffer offer_{{kIpv6}, {kInternal}, {kRoute, kInternal, kDevice, kAsked, kElsewhere, kIpv6}, {}};
  std::optional<Address> route_ = kRoute;
  std::vector<Address> on_device_{kDevice};
  std::set<Address> services_;
};

TEST_F(SourceChoice, IsWhatTheRouteSays) {
  EXPECT_EQ(choose(), "10.0.0.9");
}

TEST_F(SourceChoice, IsWhatWasAskedForOfItsFamily) {
  offer_.asked = {kIpv6, kAsked};
  EXPECT_EQ(choose(), "10.0.0.8");
  EXPECT_EQ(choose(Family::IPv6), "fd00::5");
}

TEST_F(SourceChoice, IsThisNodesOwn) {
  offer_.asked = {kStranger};
  EXPECT_EQ(choose(), "10.0.0.9");
  route_ = kStranger;
  EXPECT_EQ(choose(), "10.0.0.5");
}

TEST_F(SourceChoice, IsNoAddressOfAService) {
  offer_.asked = {kAsked};
  services_ = {kAsked, kRoute};
  EXPECT_EQ(choose(), "10.0.0.5") << "the Node's InternalIP";
  offer_.internal.clear();
  EXPECT_EQ(choose(), "10.0.0.7") << "another of the device";
}

// As where Services have the nodes' addresses for externalIPs or ingress.
TEST_F(SourceChoice, IsTheInternalIpThoughAServiceHasIt) {
  services_ = {kRoute, kInternal, kDevice};
  EXPECT_EQ(choose(), "10.0.0.5");
}

// A bridge for containers has an address, too, and no backend elsewhere knows the way to it.
TEST_F(SourceChoice, IsNotOfAnotherDeviceBecauseOfAService) {
  services_ = {kRoute, kInternal, kDevice};
  offer_.internal.clear();
  EXPECT_EQ(choose(), "10.0.0.9");
  route_.reset();
  EXPECT_EQ(choose(), "10.0.0.7");
  on_device_.clear();
  EXPECT_EQ(choose(), "10.0.0.1") << "nothing else says anything";
}

// A machine with one address, which is that of a Service as well.
TEST_F(SourceChoice, IsAServicesWhereThereIsNoOther) {
  services_ = offer_.own;
  EXPECT_EQ(choose(), "10.0.0.5");
  offer_.internal.clear();
  EXPECT_EQ(choose(), "10.0.0.9");
}

TEST_F(SourceChoice, IsNoneWhereThisNodeHasNoneOfTheFamily) {
  offer_.own.erase(kIpv6);
  EXPECT_EQ(choose(Family::IPv6), "none");
}

}  // namespace
}  // namespace fairlead::daemon
