// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection/frontends.h"

#include <gmock/gmock.h>

#include "tests/support/specs.h"
#include "tests/unit/compile/objects.h"
#include "tests/unit/daemon/failing_maps.h"
#include "userspace/daemon/inspection/services.h"

namespace fairlead::daemon {
namespace {

using compile::At;
using compile::kWeb;

// A node that serves default/web.
class FrontendsTest : public testing::Test {
 protected:
  void put(const std::vector<At>& endpoints) {
    store_.put(compile::slice(endpoints));
    sync_.changed(store_.take_changed().services, store_, {});
  }
  void serve(const model::Service& service, const std::vector<At>& endpoints) {
    sync_.set_node(compile::kNode, {}, {}, store_, {});
    store_.put(std::make_shared<const model::Service>(service));
    put(endpoints);
  }

  std::vector<admin::FrontendView> views() const {
    return view_frontends(*store_.service(kWeb), *served_ports(kWeb, sync_).at(0), sync_);
  }
  // "ClusterIP 10.96.0.1 balance 2"
  std::vector<std::string> texts() const {
    std::vector<std::string> texts;
    for (const admin::FrontendView& view : views())
      texts.push_back(std::string(admin::to_string(view.kind)) + " " + view.address + " " +
                      admin::to_string(view.action) + " " + std::to_string(view.backends));
    return texts;
  }

  FailingMaps maps_;
  model::Store store_;
  Sync sync_{maps_.maps(), [](const auto&...) {}};
};

TEST_F(FrontendsTest, SayWhatBecomesOfNewConnections) {
  model::Service service = compile::service({"192.0.2.10"});
  service.external_ips = {Address::literal("192.0.2.99")};
  service.external_traffic_policy = model::TrafficPolicy::kLocal;
  serve(service, {{"10.0.0.1", "node2"}, {"10.0.0.2", "node2"}});
  EXPECT_THAT(texts(), testing::UnorderedElementsAre("ClusterIP 10.96.0.1 balance 2", "LoadBalancer 192.0.2.10 drop 0",
                                                     "ExternalIP 192.0.2.99 drop 0", "NodePort  drop 0"));
  put({});
  EXPECT_THAT(texts(), testing::UnorderedElementsAre("ClusterIP 10.96.0.1 reject 0", "LoadBalancer 192.0.2.10 reject 0",
                                                     "ExternalIP 192.0.2.99 reject 0", "NodePort  reject 0"));
}

class PendingFrontends : public FrontendsTest, public testing::WithParamInterface<const char*> {};

TEST_P(PendingFrontends, WaitForTheMapThatCouldNotBeWritten) {
  maps_.failing = GetParam();
  serve(compile::service(), {{"10.0.0.1"}});
  EXPECT_THAT(texts(), testing::Contains(testing::StartsWith("ClusterIP 10.96.0.1 pending")));
  EXPECT_THAT(views()[0].error, testing::AllOf(testing::StartsWith(GetParam() + std::string(" ")),
                                               testing::EndsWith(": No space left on device")));
  maps_.failing.clear();
  sync_.tick(store_, {});
  EXPECT_THAT(texts(), testing::UnorderedElementsAre("ClusterIP 10.96.0.1 balance 1", "NodePort  balance 1"));
  EXPECT_EQ(views()[0].error, "");
}

INSTANTIATE_TEST_SUITE_P(, PendingFrontends,
                         testing::Values("lb_services", "lb_addresses", "lb_backends", "lb_rings", "lb_members",
                                         "lb_filter"),
                         [](const auto& info) { return info.param; });

// The maps go on as they were.
TEST_F(FrontendsTest, HaveTheBackendsThatTheMapsHave) {
  serve(compile::service(), {{"10.0.0.1"}});
  maps_.failing = "lb_services";
  put({{"10.0.0.1"}, {"10.0.0.2"}, {"10.0.0.3"}});
  EXPECT_THAT(texts(), testing::UnorderedElementsAre("ClusterIP 10.96.0.1 pending 1", "NodePort  pending 1"));
  maps_.failing.clear();
  sync_.tick(store_, {});
  EXPECT_THAT(texts(), testing::UnorderedElementsAre("ClusterIP 10.96.0.1 balance 3", "NodePort  balance 3"));
}

TEST_F(FrontendsTest, AreNotPendingForWhatOthersWaitFor) {
  serve(compile::service(), {{"10.0.0.1"}});
  maps_.failing = "lb_services";
  auto other = compile::service({}, {"default", "other"});
  other.cluster_ips = {Address::literal("10.96.0.2")};
  other.ports[0].node_port = 0;
  store_.put(std::make_shared<const model::Service>(other));
  sync_.changed(store_.take_changed().services, store_, {});
  ASSERT_TRUE(sync_.has_pending_writes());
  EXPECT_THAT(texts(), testing::UnorderedElementsAre("ClusterIP 10.96.0.1 balance 1", "NodePort  balance 1"));
}

// Nothing is pending, but nobody serves it.
TEST_F(FrontendsTest, ThatTheMapsDoNotHoldAreNotSaidToBalance) {
  serve(compile::service(), {{"10.0.0.1"}});
  state::PortSpec spec = *served_ports(kWeb, sync_).at(0);
  spec.frontends[0].key = test::tcp("192.0.2.10", 80);
  const auto views = view_frontends(*store_.service(kWeb), spec, sync_);
  EXPECT_EQ(views[0].action, admin::Action::kPending);
  EXPECT_EQ(views[0].error, "lb_services 192.0.2.10:80/TCP: not this service port's");
  EXPECT_EQ(views[1].action, admin::Action::kBalance);
}

}  // namespace
}  // namespace fairlead::daemon
