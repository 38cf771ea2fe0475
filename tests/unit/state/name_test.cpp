// SPDX-License-Identifier: Apache-2.0
// The names of service ports in the maps: what the next daemon knows them by.
#include "tests/unit/state/placement_fixture.h"

namespace fairlead::state {
namespace {

using test::port_spec;
using test::tcp;

// Namespace, Service and port are DNS labels.
const std::string kLabel(63, 'x');
const std::string kDigits(63, '9');
// Of a port whose name is a number, which has its own number behind it.
const std::string kLongest = kLabel + "/" + kLabel + ":" + kDigits + "=65535/SCTP/IPv6";

TEST(ServiceName, TheLongestThatKubernetesAllowsFillsTheMapsText) {
  EXPECT_EQ(kLongest.size() + 1, LB_SERVICE_NAME_LEN);
  EXPECT_EQ(from_abi(to_abi(kLongest)), kLongest);
}

TEST(ServiceName, ATextWithoutAnEndIsReadToItsEnd) {
  lb_service_name full;
  std::memset(full.text, 'x', sizeof(full.text));
  EXPECT_EQ(from_abi(full), std::string(LB_SERVICE_NAME_LEN, 'x'));
}

TEST_F(PlacementTest, APortWithTheLongestNameIsFoundAgain) {
  const PortSpec web = port_spec(kLongest, {tcp("10.96.0.1", 80)}, {tcp("10.0.0.1", 8080)});
  ASSERT_TRUE(put(web)) << refusal_;
  commit();
  for (auto& [id, name] : actual_.names)
    name = from_abi(to_abi(name));
  restart();
  EXPECT_EQ(placement_->names(), std::vector{kLongest});
  ASSERT_TRUE(put(web)) << refusal_;
  EXPECT_EQ(commit(), 0u) << "its backends keep their generations, and so their flows";
}

TEST_F(PlacementTest, ANameThatTheMapCannotHoldIsRefused) {
  EXPECT_FALSE(put(port_spec(kLongest + "x", {tcp("10.96.0.1", 80)}, {tcp("10.0.0.1", 8080)})));
  EXPECT_EQ(refusal_,
            "service port " + kLongest + "x: no room for characters of its name: 208 needed, the map holds 207");
  EXPECT_TRUE(placement_->names().empty());
  EXPECT_TRUE(test::same_tables(desired(), Tables{}));
}

}  // namespace
}  // namespace fairlead::state
