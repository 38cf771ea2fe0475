// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <optional>

#include "tests/e2e/stage.h"
#include "tests/support/fault_proxy.h"

// Faults are only worth something to a test if they are what they are called.
namespace fairlead::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using Clock = std::chrono::steady_clock;

class Faults : public Stage {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(open(kNewestKubernetes));
    if (IsSkipped()) return;
    auto proxy = FaultProxy::up(plane());
    ASSERT_TRUE(proxy) << proxy.error().message;
    proxy_.emplace(std::move(*proxy));
    kubeconfig_ = account("client", "view", proxy_->server());
    ASSERT_TRUE(plane().kubectl({"create", "configmap", "first", "--namespace", name_space()}));
    ASSERT_TRUE(plane().kubectl({"create", "configmap", "second", "--namespace", name_space()}));
    path_ = "/api/v1/namespaces/" + name_space() + "/configmaps";
  }

  void add_rule(boost::json::object rule) {
    if (!rule.contains("path")) rule["path"] = path_;
    const auto added = proxy_->rule(rule);
    ASSERT_TRUE(added) << added.error().message;
  }

  // By a client in the lab, through the proxy.
  Result<std::string> ask(const std::string& query, const std::string& limit = "20s") const {
    return lab().run_in(lab().node(1), {plane().kubectl_program(), "--kubeconfig=" + kubeconfig_,
                                        "--request-timeout=" + limit, "get", "--raw", path_ + query});
  }
  Result<std::string> list() const { return ask(""); }
  // The events of the two objects, and what else comes within a second.
  Result<std::string> watch() const { return ask("?watch=1&timeoutSeconds=1&resourceVersion=0"); }

  unsigned total(bool watch) {
    const auto traffic = proxy_->traffic_to(path_, watch);
    return traffic ? traffic->total : 0;
  }

  static std::string text_of(const Result<std::string>& answer) {
    return answer ? *answer : "failed: " + answer.error().message;
  }
  static bool is_json(const std::string& text) {
    boost::system::error_code error;
    boost::json::parse(text, error);
    return !error;
  }
  static std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1))
      ++found;
    return found;
  }

  // Names of the objects in the order of their events.
  static std::vector<std::string> order(const std::string& events) {
    std::vector<std::pair<std::size_t, std::string>> found;
    for (const char* name : {"first", "second"})
      for (auto at = events.find(named(name)); at != events.npos; at = events.find(named(name), at + 1))
        found.emplace_back(at, name);
    std::sort(found.begin(), found.end());
    std::vector<std::string> names;
    for (const auto& [at, name] : found)
      names.push_back(name);
    return names;
  }
  static std::string named(const std::string& name) { return "\"metadata\":{\"name\":\"" + name + "\""; }

  std::optional<FaultProxy> proxy_;
  std::string kubeconfig_;
  std::string path_;
};

TEST_F(Faults, NoneWithoutRules) {
  const auto listed = list();
  ASSERT_TRUE(listed) << listed.error().message;
  EXPECT_TRUE(is_json(*listed));
  EXPECT_THAT(order(text_of(watch())), testing::UnorderedElementsAre("first", "second"));
  EXPECT_EQ(total(false), 1U);
  EXPECT_EQ(total(true), 1U);
  ASSERT_TRUE(list());
  EXPECT_EQ(total(false), 2U);
}

TEST_F(Faults, GarbageIsInsideWhatIsAsked) {
  ASSERT_NO_FATAL_FAILURE(add_rule({{"fault", "garbage"}, {"watch", true}, {"after_events", 1}}));
  ASSERT_NO_FATAL_FAILURE(add_rule({{"fault", "garbage"}, {"watch", false}, {"after_bytes", 10}}));
  const std::string events = text_of(watch());
  EXPECT_EQ(count(events, "not JSON"), 1U);
  EXPECT_GT(events.find("not JSON"), events.find('\n'));
  EXPECT_EQ(order(events).size(), 2U) << "and the rest follows";
  const std::string listed = text_of(list());
  EXPECT_FALSE(is_json(listed));
  EXPECT_EQ(listed.find("}]not JSON"), 12U);
}

TEST_F(Faults, TruncateEndsInOrderAndCutDoesNot) {
  ASSERT_NO_FATAL_FAILURE(add_rule({{"fault", "truncate"}, {"count", 1}}));
  const auto truncated = list();
  ASSERT_TRUE(truncated) << truncated.error().message;
  EXPECT_FALSE(is_json(*truncated));
  EXPECT_TRUE(is_json(text_of(list()))) << "the rule was for one request";

  ASSERT_NO_FATAL_FAILURE(add_rule({{"fault", "truncate"}, {"watch", true}, {"after_events", 1}, {"count", 1}}));
  const std::string events = text_of(watch());
  EXPECT_EQ(count(events, "ADDED"), 2U) << events;
  EXPECT_EQ(count(events, "\n"), 1U) << "the second has no end: " << events;

  ASSERT_NO_FATAL_FAILURE(add_rule({{"fault", "cut"}, {"after_bytes", 20}}));
  EXPECT_THAT(text_of(list()), HasSubstr("unexpected EOF"));
}

TEST_F(Faults, StallLastsUntilItIsCleared) {
  ASSERT_NO_FATAL_FAILURE(add_rule({{"fault", "stall"}, {"after_bytes", 5}}));
  EXPECT_THAT(text_of(ask("", "1s")), HasSubstr("failed"));
  auto waiting =
      lab().start(lab().node(1), {plane().kubectl_program(), "--kubeconfig=" + kubeconfig_, "get", "--raw", path_});
  ASSERT_TRUE(waiting) << waiting.error().message;
  EXPECT_TRUE(eventually(kSoon, [&] {
    const auto traffic = proxy_->traffic_to(path_, false);
    return traffic && traffic->open == 1 && traffic->faults == 2;
  }));
  EXPECT_FALSE(waiting->status());
  ASSERT_TRUE(proxy_->clear());
  EXPECT_TRUE(waiting->wait(kSoon));
  EXPECT_TRUE(list());
}

TEST_F(Faults, ExpiredIsAnErrorWithinAWatch) {
  ASSERT_NO_FATAL_FAILURE(add_rule({{"fault", "expired"}, {"watch", true}, {"after_events", 1}}));
  const std::string events = text_of(watch());
  EXPECT_EQ(count(events, "ADDED"), 1U);
  EXPECT_THAT(events, HasSubstr("\"reason\":\"Expired\",\"code\":410"));
}

TEST_F(Faults, EventsComeTwiceOrInAnotherOrder) {
  const auto usual = order(text_of(watch()));
  ASSERT_EQ(usual.size(), 2U);
  ASSERT_NO_FATAL_FAILURE(add_rule({{"fault", "duplicate"}, {"watch", true}, {"count", 1}}));
  ASSERT_NO_FATAL_FAILURE(add_rule({{"fault", "reorder"}, {"watch", true}, {"count", 1}}));
  EXPECT_THAT(order(text_of(watch())), testing::ElementsAre(usual[0], usual[0], usual[1], usual[1]));
  EXPECT_THAT(order(text_of(watch())), testing::ElementsAre(usual[1], usual[0]));
  EXPECT_EQ(order(text_of(watch())), usual);
}

TEST_F(Faults, StatusIsTheApiServersOwnWay) {
  ASSERT_NO_FATAL_FAILURE(add_rule({{"fault", "status"}, {"status", 503}, {"count", 1}}));
  EXPECT_THAT(text_of(list()), HasSubstr("a rule says 503"));
  // The client waits and tries again by itself.
  ASSERT_NO_FATAL_FAILURE(add_rule({{"fault", "status"}, {"status", 429}, {"retry_after", 1}, {"count", 1}}));
  const auto start = Clock::now();
  EXPECT_TRUE(is_json(text_of(list())));
  EXPECT_GE(Clock::now() - start, std::chrono::seconds(1));
  EXPECT_EQ(total(false), 3U);
}

TEST_F(Faults, DelayIsBeforeTheAnswer) {
  ASSERT_NO_FATAL_FAILURE(
      add_rule({{"fault", "delay"}, {"delay_ms", 1000}, {"path", "/api/v1/namespaces/*"}, {"method", "GET"}}));
  const auto start = Clock::now();
  EXPECT_TRUE(is_json(text_of(list())));
  EXPECT_GE(Clock::now() - start, std::chrono::seconds(1));
}

TEST_F(Faults, DisconnectCutsWhatIsOpen) {
  auto watching = lab().start(lab().node(1), {plane().kubectl_program(), "--kubeconfig=" + kubeconfig_, "get", "--raw",
                                              path_ + "?watch=1&resourceVersion=0"});
  ASSERT_TRUE(watching) << watching.error().message;
  ASSERT_TRUE(watching->wait_for_line("ADDED", kSoon));
  ASSERT_TRUE(proxy_->disconnect());
  const auto status = watching->wait(kSoon);
  ASSERT_TRUE(status);
  EXPECT_NE(*status, 0);
  EXPECT_TRUE(list());
}

TEST_F(Faults, RulesThatMakeNoSenseAreRefused) {
  EXPECT_FALSE(proxy_->rule({{"fault", "tease"}}));
  EXPECT_FALSE(proxy_->rule({{"fault", "status"}, {"status", 7}}));
  EXPECT_FALSE(proxy_->rule({{"fault", "cut"}, {"paht", "/"}}));
  EXPECT_TRUE(list());
}

}  // namespace
}  // namespace fairlead::test
