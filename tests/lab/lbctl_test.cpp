// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "tests/lab/scenario.h"

// lbctl for people and for scripts: what it shows is what the manifests say, and its exit status can be relied upon.
namespace fairlead::test {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::StartsWith;

class Lbctl : public Scenario {
 protected:
  void serve() {
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 1, .pods = 2}));
    add_daemon(1);
    put({.node_port = 30080, .spec = {"externalIPs: [192.0.2.99]"}}, {backend(1, 1), backend(1, 2)});
    put({.name = "idle", .number = 20, .port = 53}, {});
    ASSERT_NO_FATAL_FAILURE(start_daemons());
  }

  int status(const std::vector<std::string>& arguments) { return daemon().lbctl(arguments).status().value_or(-1); }
};

TEST_F(Lbctl, ListsTheManifestsFrontends) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const auto services = daemon().query<std::vector<admin::ServiceView>>({"service", "list"});
  ASSERT_TRUE(services) << services.error().message;
  std::set<std::string> listed;
  for (const admin::ServiceView& service : *services)
    for (const admin::ServicePortView& port : service.ports)
      for (const admin::FrontendView& one : port.frontends)
        listed.insert(service.space + "/" + service.name + " " + admin::to_string(port.family) + " " + port.protocol +
                      " " + admin::to_string(one.kind) + " " + one.address + " " + std::to_string(one.port) + " " +
                      admin::to_string(one.action) + " " + std::to_string(one.backends));
  std::set<std::string> expected;
  for (const std::string protocol : {"TCP", "UDP"})
    for (const std::string line :
         {"web IPv4 # ClusterIP 10.96.0.10 80 balance 2", "web IPv6 # ClusterIP fd00:96::10 80 balance 2",
          "web IPv4 # LoadBalancer 192.0.2.10 80 balance 2", "web IPv6 # LoadBalancer 2001:db8:2::10 80 balance 2",
          "web IPv4 # ExternalIP 192.0.2.99 80 balance 2", "web IPv4 # NodePort  30080 balance 2",
          "web IPv6 # NodePort  30080 balance 2", "idle IPv4 # ClusterIP 10.96.0.20 53 reject 0",
          "idle IPv6 # ClusterIP fd00:96::20 53 reject 0", "idle IPv4 # LoadBalancer 192.0.2.20 53 reject 0",
          "idle IPv6 # LoadBalancer 2001:db8:2::20 53 reject 0"}) {
      std::string text = "default/" + line;
      expected.insert(text.replace(text.find('#'), 1, protocol));
    }
  EXPECT_EQ(listed, expected);
}

// The names that scripts use are spelled out here, because what reads them elsewhere is made of the same structs.
TEST_F(Lbctl, JsonKeepsItsKeys) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_EQ(ask(Transport::Udp, vip_of(10, Family::IPv4), {.count = 4}).answered, 4U);
  const std::pair<std::vector<std::string>, std::set<std::string>> commands[] = {
      {{"status"},
       {"daemon", "node", "pid", "uptime_seconds", "source", "synced", "behind_seconds", "heard_seconds", "adopted",
        "services", "problems", "failed_writes", "devices", "usage"}},
      {{"service", "list"}, {"namespace", "name", "type", "ports", "problems", "note"}},
      {{"backend", "list", "default/web"},
       {"service", "address", "port", "state", "local", "slot", "connections", "packets_in", "bytes_in", "packets_out",
        "bytes_out"}},
      {{"flow", "list"},
       {"protocol", "service", "client", "frontend", "source", "backend", "state", "local", "backend_gone",
        "expires_seconds"}},
      {{"flow", "count"}, {"count"}},
      {{"maglev", "show", "default/web"}, {"service", "frontends", "slots", "imbalance", "members"}},
      {{"verdicts"}, {"hook", "verdicts"}},
      {{"version"}, {"lbctl", "lbd"}}};
  for (const auto& [command, expected] : commands) {
    const auto printed = daemon().query_json(command);
    ASSERT_TRUE(printed) << printed.error().message;
    const json::value& one = printed->is_array() ? printed->at(0) : *printed;
    std::set<std::string> keys;
    for (const auto& member : one.as_object())
      keys.insert(std::string(member.key()));
    EXPECT_EQ(keys, expected) << command.front();
  }
}

TEST_F(Lbctl, TablesNameWhatTheyShow) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const std::pair<std::vector<std::string>, std::string> commands[] = {
      {{"service", "list"}, "192.0.2.10:80"},
      {{"service", "show", "default/web"}, "Service default/web (LoadBalancer)"},
      {{"service", "show", "default/idle"}, "no endpoints"},
      {{"backend", "list"}, Endpoint{lab_->pod(1, 1).ipv6, kTargetPort}.to_string()},
      {{"flow", "list"}, "no flows"},
      {{"maglev", "show", "default/web"}, "slots over 2 backends"},
      {{"problems"}, "no problems"},
      {{"status"}, "on node node1"},
      {{"verdicts"}, "not_ours"}};
  for (const auto& [command, text] : commands) {
    Process lbctl = daemon().lbctl(command);
    EXPECT_EQ(lbctl.status(), 0) << lbctl.err();
    EXPECT_THAT(lbctl.out(), HasSubstr(text));
  }
}

TEST_F(Lbctl, ExitStatusSaysWhatWentWrong) {
  ASSERT_NO_FATAL_FAILURE(serve());
  EXPECT_EQ(status({"status"}), 0);
  EXPECT_EQ(status({"--help"}), 0);
  EXPECT_EQ(status({"service", "show", "default/none"}), 1);
  for (const std::string odd : {"web", "/web", "default/", "default/web/80", ""})
    for (const std::string command : {"service", "maglev"})
      EXPECT_EQ(status({command, "show", odd}), 2) << odd << " is not of the form NAMESPACE/NAME";
  EXPECT_EQ(status({"flow", "list", "--client", "10.0.0.300"}), 2);
  EXPECT_EQ(status({"flow", "count", "--service", "web"}), 2);
  EXPECT_EQ(status({}), 2);
  EXPECT_EQ(status({"service", "lst"}), 2);
  EXPECT_EQ(daemon().lbctl({"service", "lst"}).err(), "lbctl: lst: no such command; lbctl --help-all lists them\n");
  EXPECT_EQ(status({"flow", "list", "--state", "odd"}), 2);
  EXPECT_EQ(status({"-o", "yaml", "status"}), 2);
  Process refused = daemon().lbctl({"service", "show", "default/none"});
  EXPECT_EQ(refused.err(), "lbctl: Service default/none: not found\n");
  EXPECT_EQ(refused.out(), "");

  EXPECT_EQ(daemon().stop(), 0);
  EXPECT_EQ(status({"status"}), 3);
  EXPECT_THAT(daemon().lbctl({"status"}).err(), StartsWith("lbctl: no lbd answers on "));
  Process version = daemon().lbctl({"version"});
  EXPECT_EQ(version.status(), 3) << "of two it knows one";
  EXPECT_THAT(version.out(), StartsWith("lbctl "));
  EXPECT_THAT(version.err(), StartsWith("lbctl: no lbd answers on "));
  EXPECT_EQ(status({"--version"}), 0) << "of lbctl itself";
}

}  // namespace
}  // namespace fairlead::test
