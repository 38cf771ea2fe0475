// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/commands.h"

#include <gmock/gmock.h>

#include "tests/support/fake_inspector.h"
#include "userspace/admin/control_api.h"

namespace fairlead::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

// Commands asking the control API of a daemon that a test has made up, without a socket between them.
class CommandsTest : public testing::Test {
 protected:
  CommandsTest() {
    for (const char* space : {"default", "shop"}) {
      admin::ServiceView service{space, "web", "ClusterIP", {}, {}};
      service.ports.push_back({space + std::string("/web:80/TCP/IPv4"), "", 80, "TCP", Family::IPv4, {}, {}});
      service.ports[0].backends.push_back({.address = space == std::string("shop") ? "10.0.0.2" : "10.0.0.1"});
      inspector_.told_services.push_back(service);
    }
  }

  Context context(Output output = Output::kTable) {
    return {[this](const std::string& target) -> Result<boost::json::value> {
              const auto response =
                  admin::answer_control(inspector_, admin::HttpRequest(boost::beast::http::verb::get, target, 11));
              const auto body = boost::json::parse(response.body());
              if (response.result_int() == 200) return body;
              return Error{boost::json::value_to<admin::ErrorView>(body).error, EINVAL};
            },
            output};
  }

  test::FakeInspector inspector_;
};

TEST_F(CommandsTest, BackendsOfOneServiceAreNotThoseOfItsNamesake) {
  const auto all = list_backends(context(), "");
  ASSERT_TRUE(all);
  EXPECT_THAT(*all, HasSubstr("10.0.0.1"));
  EXPECT_THAT(*all, HasSubstr("10.0.0.2"));
  for (const Output output : {Output::kTable, Output::kJson}) {
    const auto one = list_backends(context(output), "shop/web");
    ASSERT_TRUE(one) << one.error().message;
    EXPECT_THAT(*one, HasSubstr("10.0.0.2"));
    EXPECT_THAT(*one, Not(HasSubstr("10.0.0.1")));
  }
}

TEST_F(CommandsTest, FlowsAreChosenByWhatCanBe) {
  for (const char* right : {"shop/web", "shop/web:http", "shop/web:http/TCP/IPv4"})
    EXPECT_EQ(check_flow_service(right), "");
  for (const char* wrong : {"web", ":http", "shop/:http"})
    EXPECT_EQ(check_flow_service(wrong),
              std::string(wrong) + ": must be of the form NAMESPACE/NAME[:PORT/PROTO/FAMILY]");
  for (const char* right : {"10.0.0.1", "10.0.0.1:80", "2001:db8::1", "[2001:db8::1]:80"})
    EXPECT_EQ(check_endpoint(right), "");
  for (const char* wrong : {"1.2.3", "web", "10.0.0.1:", "10.0.0.1:65536", "[2001:db8::1]"})
    EXPECT_EQ(check_endpoint(wrong), std::string(wrong) + ": must be of the form ADDRESS[:PORT]");
}

TEST_F(CommandsTest, ServicesAreNamedInFull) {
  for (const char* name : {"", "web", "/web", "shop/", "a/b/c"})
    EXPECT_EQ(check_service(name), std::string(name) + ": must be of the form NAMESPACE/NAME");
  EXPECT_EQ(check_service("shop/web"), "");
  EXPECT_EQ(show_service(context(), "shop/other").error().message, "Service shop/other: not found");
  EXPECT_THAT(*show_service(context(), "shop/web"), HasSubstr("Service shop/web (ClusterIP)"));
  EXPECT_EQ(service_names(context()), (std::vector<std::string>{"default/web", "shop/web"}));
}

TEST_F(CommandsTest, FiltersArriveAsTheyWereGiven) {
  ASSERT_TRUE(
      list_flows(context(Output::kJson), {{"service", "shop/web"}, {"client", "[2001:db8::1]:80"}, {"state", ""}}, 0));
  EXPECT_EQ(inspector_.asked.service, "shop/web");
  EXPECT_EQ(inspector_.asked.client, "[2001:db8::1]:80");
  EXPECT_EQ(inspector_.asked.state, std::nullopt);
}

TEST_F(CommandsTest, FlowsThatAreCutAreSaidToBe) {
  inspector_.told_flows.resize(3);
  EXPECT_THAT(*list_flows(context(), {}, 3), Not(HasSubstr("more than")));
  EXPECT_THAT(*list_flows(context(), {}, 0), Not(HasSubstr("more than")));
  EXPECT_THAT(*list_flows(context(), {}, 2), testing::EndsWith("\nmore than 2 match; --limit 0 lists all\n"));
  EXPECT_EQ(boost::json::parse(*list_flows(context(Output::kJson), {}, 2)).as_array().size(), 2U);
  EXPECT_EQ(*count_flows(context(), {{"service", "shop/web"}}), "3\n");
}

TEST_F(CommandsTest, ThatNothingMatchesIsAFailure) {
  EXPECT_EQ(*list_flows(context(), {{"client", ""}}, 10), "no flows\n") << "nothing was asked for";
  const auto flows = list_flows(context(), {{"client", "10.0.0.9"}}, 10);
  ASSERT_FALSE(flows);
  EXPECT_EQ(flows.error().message, "no flow matches");
  EXPECT_EQ(*list_flows(context(Output::kJson), {{"client", "10.0.0.9"}}, 10), "[]\n");
  const auto backends = list_backends(context(), "shop/other");
  ASSERT_FALSE(backends);
  EXPECT_EQ(backends.error().message, "Service shop/other: not found");
}

TEST_F(CommandsTest, JsonIsWhatTheDaemonSaid) {
  inspector_.told_hooks = {{"xdp", {{"local_hit", admin::VerdictKind::kPass, "meaning", 5}}}};
  EXPECT_EQ(*list_verdicts(context(Output::kJson), false),
            R"([{"hook":"xdp","verdicts":[{"name":"local_hit","kind":"pass","meaning":"meaning","packets":5}]}])"
            "\n");
}

TEST_F(CommandsTest, AnAnswerOfAnotherVersionIsNotGuessedAt) {
  const Context context{[](const std::string&) -> Result<boost::json::value> { return boost::json::value{{"a", 1}}; }};
  const auto shown = show_status(context);
  ASSERT_FALSE(shown);
  EXPECT_THAT(shown.error().message, HasSubstr("are lbd and lbctl of one version?"));
}

}  // namespace
}  // namespace fairlead::cli
