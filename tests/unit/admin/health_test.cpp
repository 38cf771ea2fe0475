// SPDX-License-Identifier: Apache-2.0
#include "userspace/admin/health.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

namespace fairlead::admin {
namespace {

using std::chrono::seconds;

class HealthTest : public testing::Test {
 protected:
  static Health::Time at(int second) { return Health::Time(seconds(1'000'000 + second)); }
  static unsigned status(const HttpResponse& response) { return response.result_int(); }
  static std::string member(const HttpResponse& response, const char* name) {
    const auto body = boost::json::parse(response.body()).as_object();
    return body.contains(name) ? boost::json::serialize(body.at(name)) : "absent";
  }

  Health health_{seconds(60)};
};

TEST_F(HealthTest, IsGoodUntilTheFirstChange) {
  EXPECT_EQ(status(health_.healthz(at(0))), 200U);
  EXPECT_EQ(status(health_.livez(at(1'000))), 200U);
}

TEST_F(HealthTest, LastsAsLongAsTheOldestChangeMayWait) {
  health_.queued(Family::IPv4, at(0));
  EXPECT_TRUE(health_.alive(at(59)));
  // Later ones do not make the first one younger.
  health_.queued(Family::IPv4, at(50));
  EXPECT_TRUE(health_.alive(at(59)));
  EXPECT_FALSE(health_.alive(at(60)));
  health_.updated(Family::IPv4, at(61));
  EXPECT_TRUE(health_.alive(at(61)));
  health_.queued(Family::IPv4, at(70));
  EXPECT_TRUE(health_.alive(at(129)));
  EXPECT_FALSE(health_.alive(at(130)));
}

TEST_F(HealthTest, OfOneFamilyIsNotMendedByTheOther) {
  health_.queued(Family::IPv6, at(0));
  health_.updated(Family::IPv4, at(10));
  EXPECT_EQ(status(health_.livez(at(60))), 503U);
}

TEST_F(HealthTest, NodeThatLeavesIsAliveButNotHealthy) {
  health_.set_node_eligible(false);
  const HttpResponse healthz = health_.healthz(at(0));
  EXPECT_EQ(status(healthz), 503U);
  EXPECT_EQ(member(healthz, "nodeEligible"), "false");
  const HttpResponse livez = health_.livez(at(0));
  EXPECT_EQ(status(livez), 200U);
  EXPECT_EQ(member(livez, "nodeEligible"), "absent");
}

TEST_F(HealthTest, TellsWhenTheMapsWereLastRight) {
  health_.updated(Family::IPv4, at(5));
  health_.updated(Family::IPv6, at(7));
  EXPECT_EQ(member(health_.livez(at(100)), "lastUpdated"), member(health_.livez(at(100)), "currentTime"));
  health_.queued(Family::IPv4, at(20));
  const HttpResponse late = health_.livez(at(100));
  EXPECT_EQ(member(late, "lastUpdated"), "\"1970-01-12T13:46:45Z\"");
  EXPECT_EQ(member(late, "currentTime"), "\"1970-01-12T13:48:20Z\"");
}

// A rollout that looked at /healthz would go on over a daemon that has read nothing.
TEST_F(HealthTest, IsReadyWhenEverythingHasBeenReadOnce) {
  EXPECT_EQ(status(health_.healthz(at(0))), 200U);
  const HttpResponse before = health_.readyz(at(0));
  EXPECT_EQ(status(before), 503U);
  EXPECT_EQ(member(before, "synced"), "false");
  health_.set_synced();
  EXPECT_EQ(status(health_.readyz(at(0))), 200U);
  health_.set_node_eligible(false);
  EXPECT_EQ(status(health_.readyz(at(0))), 503U);
  health_.set_node_eligible(true);
  health_.queued(Family::IPv4, at(0));
  EXPECT_EQ(status(health_.readyz(at(60))), 503U);
  EXPECT_EQ(health_.healthz_answers(), (std::map<unsigned, std::uint64_t>{{200, 1}})) << "it is counted for nobody";
}

TEST_F(HealthTest, AnswersAreCounted) {
  (void)health_.healthz(at(0));
  health_.queued(Family::IPv4, at(0));
  (void)health_.healthz(at(60));
  (void)health_.livez(at(60));
  (void)health_.livez(at(61));
  using Answers = std::map<unsigned, std::uint64_t>;
  EXPECT_EQ(health_.healthz_answers(), (Answers{{200, 1}, {503, 1}}));
  EXPECT_EQ(health_.livez_answers(), (Answers{{503, 2}}));
}

}  // namespace
}  // namespace fairlead::admin
