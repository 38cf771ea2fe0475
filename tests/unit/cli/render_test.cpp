// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/render/render.h"

#include <gmock/gmock.h>

#include "userspace/cli/table.h"

// Whole screens, as a person sees them.
namespace fairlead::cli {
namespace {

using admin::Action;
using admin::BackendState;
using admin::FrontendKind;
using admin::VerdictKind;

admin::ServiceView web() {
  admin::ServiceView service{"default", "web", "NodePort", {}, {}};
  admin::ServicePortView port{"default/web:http/TCP/IPv4", "http", 80, "TCP", Family::IPv4, {}, {}};
  port.frontends = {{FrontendKind::kClusterIp, "10.96.0.10", 80, Action::kBalance, 2, ""},
                    {FrontendKind::kNodePort, "", 30080, Action::kBalance, 2, ""}};
  port.backends = {{"10.210.1.11", 8080, BackendState::kActive, true, 0, 3, 30, 3000, 31, 3145728},
                   {"10.210.2.11", 8080, BackendState::kDraining, false, 1, 2, 20, 2048, 21, 2100}};
  service.ports.push_back(port);
  return service;
}

admin::ServiceView idle() {
  admin::ServiceView service{"kube-system", "web", "ClusterIP", {}, {}};
  admin::ServicePortView port{"kube-system/web:53/UDP/IPv6", "", 53, "UDP", Family::IPv6, {}, {}};
  port.frontends = {{FrontendKind::kClusterIp, "fd00::a", 53, Action::kReject, 0, ""}};
  service.ports.push_back(port);
  service.problems = {{"web.yaml:3", "Service kube-system/web", "spec.sessionAffinity", "", "is not honoured"}};
  return service;
}

TEST(Render, Services) {
  EXPECT_EQ(render_services({web(), idle()}),
            R"(NAMESPACE    NAME  PORT         KIND       FRONTEND        ACTION   BACKENDS
default      web   http 80/TCP  ClusterIP  10.96.0.10:80   balance         2
default      web   http 80/TCP  NodePort   *:30080 (IPv4)  balance         2
kube-system  web   53/UDP       ClusterIP  [fd00::a]:53    reject          0
! web.yaml:3: Service kube-system/web: spec.sessionAffinity: is not honoured
)");
  EXPECT_EQ(render_services({}), "no services\n");
}

TEST(Render, ServicesThatAreNotServedSayWhy) {
  admin::ServiceView names{"default", "db", "ClusterIP", {}, {}, "is headless: clients get its endpoints from DNS"};
  EXPECT_EQ(render_services({names}),
            R"(NAMESPACE  NAME  PORT  KIND       FRONTEND  ACTION  BACKENDS
default    db    -     ClusterIP  -         none           0
- Service default/db is headless: clients get its endpoints from DNS
)");
  EXPECT_EQ(render_service(names),
            "Service default/db (ClusterIP)\n- Service default/db is headless: clients get its endpoints from DNS\n");
}

TEST(Render, Service) {
  EXPECT_EQ(render_service(web()),
            R"(Service default/web (NodePort)

http 80/TCP (IPv4)
  KIND       FRONTEND       ACTION   BACKENDS
  ClusterIP  10.96.0.10:80  balance         2
  NodePort   *:30080        balance         2
  BACKEND           STATE     WHERE      CONNECTIONS  PACKETS IN  BYTES IN  PACKETS OUT  BYTES OUT
  10.210.1.11:8080  active    this node            3          30   2.9 KiB           31    3.0 MiB
  10.210.2.11:8080  draining  remote               2          20   2.0 KiB           21    2.1 KiB
)");
  EXPECT_THAT(render_service(idle()), testing::HasSubstr("  no endpoints\n! web.yaml:3"));
}

TEST(Render, FrontendsThatWaitSayForWhat) {
  admin::ServiceView service = web();
  service.ports[0].frontends[1].action = Action::kPending;
  service.ports[0].frontends[1].error = "lb_services nodeport 30080/TCP/IPv4: No space left on device";
  for (const std::string& text : {render_services({service}), render_service(service)})
    EXPECT_THAT(text,
                testing::AllOf(testing::HasSubstr(" pending "),
                               testing::EndsWith("! default/web:http/TCP/IPv4: *:30080 (IPv4): not in the maps: "
                                                 "lb_services nodeport 30080/TCP/IPv4: No space left on device\n")));
}

TEST(Render, Backends) {
  EXPECT_EQ(
      render_backends({web(), idle()}),
      R"(SERVICE                    BACKEND           STATE     WHERE      CONNECTIONS  PACKETS IN  BYTES IN  PACKETS OUT  BYTES OUT
default/web:http/TCP/IPv4  10.210.1.11:8080  active    this node            3          30   2.9 KiB           31    3.0 MiB
default/web:http/TCP/IPv4  10.210.2.11:8080  draining  remote               2          20   2.0 KiB           21    2.1 KiB
)");
  EXPECT_EQ(render_backends({idle()}), "no backends\n");
}

TEST(Render, Status) {
  admin::StatusView status;
  status.daemon.version = "1.2.3";
  status.node = "node1";
  status.pid = 7;
  status.uptime_seconds = 93784;
  status.source = "file /etc/fairlead";
  status.synced = true;
  status.services = 3;
  status.problems = 1;
  status.devices = {{"eth0", 2, "native", {"192.0.2.1", "2001:db8::1"}, ""}, {"eth1", 3, "off", {}, "a veth"}};
  status.usage = {{"frontends", 5, 1000}, {"nothing", 0, 0}, {"IPv4 flows", -1, 64}};
  EXPECT_EQ(render_status(status), R"(lbd 1.2.3 on node node1, up 1d 2h, pid 7
source    file /etc/fairlead: in sync
services  3 served, 1 problem

DEVICE  XDP     ADDRESSES              NOTE
eth0    native  192.0.2.1 2001:db8::1  
eth1    off                            a veth

MAP         USED  LIMIT    %
frontends      5   1000  0.5
nothing        0      0    -
IPv4 flows     -     64    -
)");
}

TEST(Render, StatusSaysWhatIsNotAsItShouldBe) {
  admin::StatusView status;
  status.adopted = true;
  status.failed_writes = 4;
  const std::string text = render_status(status);
  EXPECT_THAT(text, testing::HasSubstr("NOT READ COMPLETELY YET, took over the maps of an earlier lbd\n"));
  EXPECT_THAT(text, testing::HasSubstr("0 served, 0 problems\nWRITES TO MAPS FAIL: 4 so far; see the log\n"));
}

TEST(Render, StatusSaysSinceWhenNothingWasHeard) {
  admin::StatusView status;
  status.source = "kubernetes https://api";
  status.synced = true;
  status.heard_seconds = 8.2;
  const auto line = [&] {
    const std::string text = render_status(status);
    const auto begin = text.find("source");
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  EXPECT_EQ(line(), "source    kubernetes https://api: in sync");
  status.heard_seconds = status.behind_seconds = 83.6;
  EXPECT_EQ(line(), "source    kubernetes https://api: NOT FOLLOWED for 1m 23s, last heard 1m 23s ago");
  status.synced = false;
  EXPECT_EQ(line(), "source    kubernetes https://api: NOT READ COMPLETELY YET, last heard 1m 23s ago");
  status.heard_seconds = -1;
  EXPECT_EQ(line(), "source    kubernetes https://api: NOT READ COMPLETELY YET, never heard");
}

TEST(Render, Flows) {
  admin::FlowView flow{"TCP",
                       "default/web:http/TCP/IPv4",
                       "198.51.100.7:40000",
                       "192.0.2.10:80",
                       "198.51.100.7:40000",
                       "10.210.1.11:8080",
                       admin::FlowState::kEstablished,
                       true,
                       false,
                       86399};
  admin::FlowView snat = flow;
  snat.source = "10.201.0.1:10400";
  snat.state = admin::FlowState::kClosed;
  snat.backend_gone = true;
  snat.expires_seconds = -1;
  EXPECT_EQ(
      render_flows({flow, snat}),
      R"(PROTO  CLIENT              FRONTEND       SOURCE SEEN       BACKEND           STATE                  EXPIRES  SERVICE
TCP    198.51.100.7:40000  192.0.2.10:80  =                 10.210.1.11:8080  established            23h 59m  default/web:http/TCP/IPv4
TCP    198.51.100.7:40000  192.0.2.10:80  10.201.0.1:10400  10.210.1.11:8080  closed (backend gone)  expired  default/web:http/TCP/IPv4
)");
  EXPECT_EQ(render_flows({}), "no flows\n");
}

TEST(Render, Rings) {
  const admin::RingView ring{"default/web:http/TCP/IPv4",
                             {"ClusterIP 10.96.0.10:80", "NodePort 30080"},
                             1021,
                             1.002,
                             {{"10.210.1.11", 8080, 511}, {"10.210.2.11", 8080, 510}}};
  EXPECT_EQ(render_rings({ring, {"default/idle:53/UDP/IPv4", {"ClusterIP 10.96.0.20:53"}, 0, 0, {}}}),
            R"(default/web:http/TCP/IPv4
  for ClusterIP 10.96.0.10:80, NodePort 30080
  1021 slots over 2 backends; the largest share is 1.002 of the mean
  BACKEND           SLOTS    SHARE
  10.210.1.11:8080    511  50.05 %
  10.210.2.11:8080    510  49.95 %

default/idle:53/UDP/IPv4
  for ClusterIP 10.96.0.20:53
  no backends
)");
  EXPECT_EQ(render_rings({}), "no rings\n");
}

// Each hook alone must be enough to make a verdict worth showing.
TEST(Render, Verdicts) {
  std::vector<admin::HookView> hooks{{"xdp", {}}, {"tc_ingress", {}}, {"tc_egress", {}}};
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    hooks[i].verdicts = {{"local_hit", VerdictKind::kPass, "first", 0},
                         {"local_reply", VerdictKind::kPass, "second", 0},
                         {"remote_hit", VerdictKind::kSend, "third", 0},
                         {"policy", VerdictKind::kDrop, "fourth", 0}};
    hooks[i].verdicts[i].packets = 5 + i;
  }
  EXPECT_EQ(render_verdicts(hooks, true), R"(VERDICT      KIND  XDP  TC INGRESS  TC EGRESS  MEANING
local_hit    pass    5           0          0  first
local_reply  pass    0           6          0  second
remote_hit   send    0           0          7  third
)");
  EXPECT_THAT(render_verdicts(hooks, false),
              testing::HasSubstr("policy       drop    0           0          0  fourth"));
  for (admin::HookView& hook : hooks)
    for (admin::VerdictView& verdict : hook.verdicts)
      verdict.packets = 0;
  EXPECT_EQ(render_verdicts(hooks, true), "nothing counted yet\n");
}

TEST(Render, FiguresForPeople) {
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(1ULL << 60), "1024.0 PiB");
  EXPECT_EQ(seconds_text(59), "59s");
  EXPECT_EQ(seconds_text(60), "1m 0s");
  EXPECT_EQ(seconds_text(3661), "1h 1m");
}

}  // namespace
}  // namespace fairlead::cli
