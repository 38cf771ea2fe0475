// SPDX-License-Identifier: Apache-2.0
// When a server that says nothing is asked, and what is made of its answer.
#include "userspace/kube/api/heartbeat.h"

#include <gmock/gmock.h>

#include "tests/unit/kube/access/awaiting.h"
#include "tests/unit/kube/api/scripted_transport.h"

namespace fairlead::kube {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

class HeartbeatTest : public testing::Test {
 protected:
  static constexpr Heartbeat::Timing kTiming{milliseconds(50), milliseconds(80), milliseconds(20), milliseconds(4),
                                             milliseconds(2)};

  void begin(std::deque<Reply> replies) {
    script_.replies = std::move(replies);
    spawn(io_, heartbeat_.run());
  }
  void run_until_asked(std::size_t times) {
    EXPECT_TRUE(runs_until(io_, [&] { return script_.asked.size() >= times; })) << script_.asked.size();
  }
  bool runs_until_told(std::size_t times) {
    return runs_until(io_, [&] { return told_.size() >= times; });
  }

  boost::asio::io_context io_;
  Script script_;
  std::vector<std::string> told_;
  std::optional<Clock::time_point> since_;
  std::shared_ptr<Pulse> pulse_ = std::make_shared<Pulse>();
  ScriptedTransport* transport_ = new ScriptedTransport(io_, script_);
  Heartbeat heartbeat_{std::unique_ptr<Transport>(transport_),
                       pulse_,
                       kTiming,
                       {[this](const Error& why, Clock::time_point last_heard) {
                          told_.push_back("silent: " + why.message);
                          since_ = last_heard;
                        },
                        [this] { told_.push_back("heard"); }}};
};

TEST_F(HeartbeatTest, AsksWhenNothingWasHeardForAWhile) {
  pulse_->beat();
  const auto begun = Clock::now();
  begin({{}, {.status = 500}, {.status = 401}});
  run_until_asked(4);
  for (std::size_t i = 0; i < script_.asked.size(); ++i) {
    EXPECT_EQ(script_.asked[i].target, "/livez");
    EXPECT_GE(script_.asked[i].at, (i ? script_.asked[i - 1].at : begun) + milliseconds(50));
  }
  EXPECT_THAT(told_, ElementsAre()) << "any answer will do";
}

TEST_F(HeartbeatTest, DoesNotAskAServerThatSpeaks) {
  const auto end = Clock::now() + milliseconds(300);
  begin(std::deque<Reply>(100));
  auto spoken = end;
  // Where this test itself is held up for so long, a question is right.
  runs_until(io_, [&] {
    for (const Asked& one : std::exchange(script_.asked, {}))
      EXPECT_GE(one.at, spoken + kTiming.quiet);
    pulse_->beat();
    spoken = Clock::now();
    return spoken > end;
  });
}

TEST_F(HeartbeatTest, AServerThatWasNeverHeardHasNotFallenSilent) {
  const auto end = Clock::now() + milliseconds(300);
  begin({});
  runs_until(io_, [&] { return Clock::now() > end; });
  EXPECT_TRUE(script_.asked.empty());
  EXPECT_THAT(told_, ElementsAre());
}

TEST_F(HeartbeatTest, TellsOfASilenceOnceAndOfItsEnd) {
  pulse_->beat();
  const auto heard = *pulse_->last();
  std::deque<Reply> replies(100, {.unreachable = "late"});
  replies.emplace_back();
  begin(std::move(replies));
  EXPECT_TRUE(runs_until_told(1));
  EXPECT_GE(Clock::now() - heard, milliseconds(80)) << "one refusal is no silence";
  EXPECT_EQ(since_, heard);
  EXPECT_TRUE(runs_until_told(2));
  EXPECT_THAT(told_, ElementsAre("silent: late", "heard"));
  EXPECT_TRUE(script_.replies.empty());
}

// A watch that tells something while the server has no time for questions, for example.
TEST_F(HeartbeatTest, WhatOthersHearIsAsGoodAsAnAnswer) {
  pulse_->beat();
  begin({{.silent = true}, {.unreachable = "late"}, {.unreachable = "late"}});
  run_until_asked(1);
  EXPECT_TRUE(runs_until(io_, [&] { return Clock::now() > *pulse_->last() + kTiming.silence; }));
  pulse_->beat();
  transport_->interrupt();
  run_until_asked(2);
  EXPECT_THAT(told_, ElementsAre());
}

TEST_F(HeartbeatTest, WhatOthersHearEndsASilence) {
  pulse_->beat();
  begin(std::deque<Reply>(1000, {.unreachable = "late"}));
  EXPECT_TRUE(runs_until_told(1));
  pulse_->beat();
  EXPECT_TRUE(runs_until_told(2));
  EXPECT_THAT(told_, ElementsAre("silent: late", "heard"));
}

}  // namespace
}  // namespace fairlead::kube
