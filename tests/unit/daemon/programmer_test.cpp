// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/programmer.h"

#include <gmock/gmock.h>

#include "tests/support/fake_inspector.h"
#include "tests/unit/compile/objects.h"
#include "tests/unit/daemon/failing_maps.h"
#include "tests/unit/daemon/scrape.h"

namespace fairlead::daemon {
namespace {

using std::chrono::seconds;
using std::chrono::system_clock;

class ProgrammerTest : public testing::Test {
 protected:
  // Endpoints that something in the cluster has just changed.
  void put(const std::string& address) {
    auto slice = std::make_shared<model::EndpointSlice>(*compile::slice({{address}}));
    slice->last_change_trigger_time = system_clock::now();
    store_.put(std::make_shared<const model::Service>(compile::service()));
    store_.put(std::shared_ptr<const model::EndpointSlice>(slice));
  }
  // Whether what is known by now will still be good when changes may not wait any longer.
  bool is_up_to_date() const { return health_.alive(system_clock::now() + seconds(61)); }
  bool is_ready() const { return health_.readyz(system_clock::now()).result_int() == 200; }
  std::size_t programmed() const {
    const std::string text = scrape(metrics_);
    const std::string name = "kubeproxy_network_programming_duration_seconds_count{ip_family=\"IPv4\"} ";
    return std::stoul(text.substr(text.find(name) + name.size()));
  }

  boost::asio::io_context io_;
  FailingMaps maps_;
  model::Store store_;
  Sync sync_{maps_.maps(), [](const auto&...) {}};
  test::FakeInspector inspector_;
  admin::Health health_{seconds(60)};
  Metrics metrics_{{inspector_, health_, [this] { return sync_.failed_writes(); }, [] { return 0; },
                    [](std::uint32_t) { return Metrics::ServiceStats(); }}};
  Programmer programmer_{
      io_, {store_, sync_, health_, metrics_, [](const model::Node*) { return NodeState{compile::kNode, {}, {}}; }}};
};

TEST_F(ProgrammerTest, WhatIsInTheMapsIsHealthyAndMeasured) {
  programmer_.node_changed();
  put("10.0.0.1");
  programmer_.changed({true, {}});
  EXPECT_TRUE(is_up_to_date());
  EXPECT_EQ(programmed(), 1U);
  EXPECT_EQ(sync_.actual().services.size(), 2U) << "its cluster IP and its node port";
}

TEST_F(ProgrammerTest, WhatCouldNotBeWrittenIsNotUntilItIs) {
  programmer_.node_changed();
  maps_.failing = "lb_services";
  put("10.0.0.1");
  programmer_.changed({true, {}});
  EXPECT_FALSE(is_up_to_date());
  EXPECT_EQ(programmed(), 0U);
  // Nor by another change that can be written.
  auto other = compile::service({}, {"default", "headless"});
  other.headless = true;
  store_.put(std::make_shared<const model::Service>(other));
  programmer_.changed({true, {}});
  EXPECT_FALSE(is_up_to_date());

  maps_.failing.clear();
  while (!is_up_to_date() && io_.run_one_for(seconds(10))) {
  }
  EXPECT_TRUE(is_up_to_date());
  EXPECT_EQ(programmed(), 1U);
}

TEST_F(ProgrammerTest, AddressesThatCouldNotBeWrittenAreNotHealthyEither) {
  Programmer programmer(io_, {store_, sync_, health_, metrics_, [](const model::Node*) {
                                const Address address = Address::literal("192.0.2.1");
                                return NodeState{compile::kNode, {{state::to_abi(address), LB_AF_INET, true}}, {}};
                              }});
  maps_.failing = "lb_addresses";
  programmer.node_changed();
  ASSERT_TRUE(sync_.has_pending_writes());
  EXPECT_FALSE(is_up_to_date());
}

TEST_F(ProgrammerTest, IsReadyAfterTheFirstCompleteSync) {
  programmer_.node_changed();
  programmer_.changed({true, {}});
  EXPECT_FALSE(is_ready());
  programmer_.changed({});
  EXPECT_TRUE(is_ready());
  EXPECT_TRUE(sync_.completed());
}

}  // namespace
}  // namespace fairlead::daemon
