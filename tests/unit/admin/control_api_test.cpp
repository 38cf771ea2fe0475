// SPDX-License-Identifier: Apache-2.0
#include "userspace/admin/control_api.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "tests/support/fake_inspector.h"

namespace fairlead::admin {
namespace {

namespace http = boost::beast::http;

class ControlApi : public testing::Test {
 protected:
  HttpResponse answer(const std::string& target, http::verb method = http::verb::get) {
    return answer_control(inspector_, HttpRequest(method, target, 11));
  }
  std::string error(const std::string& target, unsigned status) {
    const HttpResponse response = answer(target);
    EXPECT_EQ(response.result_int(), status) << target;
    const auto view = boost::json::try_value_to<ErrorView>(boost::json::parse(response.body()));
    return view ? view->error : "no ErrorView: " + response.body();
  }

  test::FakeInspector inspector_;
};

TEST_F(ControlApi, HasAResourceForEachQuestion) {
  inspector_.told_services = {{"default", "web", "NodePort", {}, {}}};
  for (const char* target : {"/v1/version", "/v1/status", "/v1/problems", "/v1/services", "/v1/services/default/web",
                             "/v1/services/default/web/rings", "/v1/flows", "/v1/flows/count", "/v1/verdicts"}) {
    const HttpResponse response = answer(target);
    EXPECT_EQ(response.result_int(), 200U) << target;
    EXPECT_EQ(response[http::field::content_type], "application/json") << target;
    EXPECT_NO_THROW((void)boost::json::parse(response.body())) << target;
  }
}

TEST_F(ControlApi, SaysWhatItDoesNotKnow) {
  EXPECT_EQ(error("/v1/services/default/web", 404), "Service default/web: not found");
  EXPECT_EQ(error("/v2/status", 404), "/v2/status: no such resource");
  EXPECT_EQ(error("/", 404), "/: no such resource");
  EXPECT_EQ(error("/v1/services/default/web/rings/1", 404), "/v1/services/default/web/rings/1: no such resource");
  EXPECT_EQ(error("status", 400), "malformed request target");
  EXPECT_EQ(answer("/v1/status", http::verb::post).result_int(), 405U);
}

// A file's name for example may be any bytes.
TEST_F(ControlApi, AnswersJsonWhateverItTellsOf) {
  inspector_.told_problems = {{"caf\xe9.yaml", "", "", "", "is empty"}, {"", "", "", "", "another"}};
  const auto problems =
      boost::json::try_value_to<std::vector<ProblemView>>(boost::json::parse(answer("/v1/problems").body()));
  ASSERT_TRUE(problems);
  ASSERT_EQ(problems->size(), 2U);
  EXPECT_EQ(problems->at(0).where, "caf\xef\xbf\xbd.yaml");
  EXPECT_EQ(problems->at(1).message, "another");
  EXPECT_EQ(error("/v1/services/default/%ff", 404), "Service default/\xef\xbf\xbd: not found");
  EXPECT_EQ(error("/v1/flows?state=%ff", 400), "state: \xef\xbf\xbd: no state of a flow");
}

TEST_F(ControlApi, ReadsAFilter) {
  ASSERT_EQ(answer("/v1/flows?service=default%2Fweb&client=198.51.100.7&frontend=%5B2001%3Adb8%3A%3A1%5D%3A80&backend="
                   "10.0.0.1%3A8080&protocol=UDP&state=closing&limit=7")
                .result_int(),
            200U);
  EXPECT_EQ(inspector_.asked.service, "default/web");
  EXPECT_EQ(inspector_.asked.client, "198.51.100.7");
  EXPECT_EQ(inspector_.asked.frontend, "[2001:db8::1]:80");
  EXPECT_EQ(inspector_.asked.backend, "10.0.0.1:8080");
  EXPECT_EQ(inspector_.asked.protocol, model::Protocol::kUdp);
  EXPECT_EQ(inspector_.asked.state, FlowState::kClosing);
  EXPECT_EQ(inspector_.asked.limit, 7U);
}

TEST_F(ControlApi, RefusesAFilterThatItDoesNotUnderstand) {
  EXPECT_EQ(error("/v1/flows?limit=many", 400), "limit: many: not a number");
  EXPECT_EQ(error("/v1/flows?protocol=tcp", 400), "protocol: tcp: neither TCP nor UDP");
  EXPECT_EQ(error("/v1/flows/count?state=old", 400), "state: old: no state of a flow");
  EXPECT_EQ(error("/v1/flows?colour=red", 400), "unknown parameter colour");
}

TEST_F(ControlApi, CountsFlows) {
  inspector_.told_flows.resize(1500);
  EXPECT_EQ(answer("/v1/flows/count").body(), "{\"count\":1500}\n");
}

TEST_F(ControlApi, ViewsComeBackAsTheyWere) {
  FrontendView frontend{FrontendKind::kNodePort, "", 30080, Action::kDrop, 0, ""};
  BackendView backend{.address = "10.0.0.1", .port = 8080, .state = BackendState::kDraining, .bytes_out = 5};
  const ServiceView service{
      "default", "web", "NodePort", {{"id", "http", 80, "TCP", Family::IPv6, {frontend}, {backend}}}, {}};
  const auto json = boost::json::value_from(service);
  EXPECT_EQ(json.at("namespace"), "default");
  EXPECT_EQ(json.at("ports").at(0).at("family"), "IPv6");
  EXPECT_EQ(json.at("ports").at(0).at("frontends").at(0).at("action"), "drop");
  const auto back = boost::json::try_value_to<ServiceView>(json);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(boost::json::value_from(*back), json);
}

TEST_F(ControlApi, WordsThatNobodyKnowsAreRefused) {
  auto json = boost::json::value_from(FrontendView{});
  json.as_object()["action"] = "juggle";
  EXPECT_FALSE(boost::json::try_value_to<FrontendView>(json));
  json.as_object()["action"] = 1;
  EXPECT_FALSE(boost::json::try_value_to<FrontendView>(json));
}

}  // namespace
}  // namespace fairlead::admin
