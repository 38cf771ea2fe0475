// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <tuple>

#include "tests/datapath/scene.h"

namespace fairlead::test {
namespace {

class SharedEndpoint : public Scene, public testing::WithParamInterface<Family> {
 protected:
  void SetUp() override {
    Scene::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make(GetParam());
  }

  // What the backend sees of a new flow.
  auto seen_of(std::uint16_t client_port, const std::string& frontend, std::uint16_t port) {
    const Outcome outcome = xdp(tcp(at().client, client_port, frontend, port, kSyn));
    EXPECT_EQ(outcome.verdict, "remote_new");
    return std::tuple(outcome.packet.src, outcome.packet.sport, outcome.packet.dst, outcome.packet.dport);
  }
};

// The endpoint tells flows apart by what they come from, whichever of its services they asked.
TEST_P(SharedEndpoint, FlowsOfTwoServicesNeverLookAlike) {
  constexpr std::uint16_t kFlows = 1000;
  std::set<std::tuple<Address, std::uint16_t, Address, std::uint16_t>> seen;
  for (std::uint16_t i = 0; i < kFlows; ++i) {
    EXPECT_TRUE(seen.insert(seen_of(static_cast<std::uint16_t>(10000 + i), at().vip, kRemote)).second) << i;
    EXPECT_TRUE(seen.insert(seen_of(static_cast<std::uint16_t>(20000 + i), at().node, kNodePort)).second) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(, SharedEndpoint, testing::Values(Family::IPv4, Family::IPv6),
                         [](const auto& info) { return std::string(hosts(info.param).family); });

}  // namespace
}  // namespace fairlead::test
