// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <iostream>

#include "tests/lab/scenario.h"

// Another build of lbd takes over from a running one, under traffic. In that build every map has another layout.
namespace fairlead::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr unsigned kOfEach = 500;  // for each transport and family
// Every connection asks once a second: enough to be in use, and no more than two busy processors can do.
constexpr milliseconds kInterval{1000};

std::string describe(const std::vector<HeldConnection>& connections) {
  std::map<std::string, unsigned> broken;
  unsigned answers = 0;
  for (const HeldConnection& one : connections) {
    answers += one.answers;
    if (!one.broken.empty()) ++broken[one.broken];
  }
  std::string text = std::to_string(connections.size()) + " connections, " + std::to_string(answers) + " answers";
  for (const auto& [why, count] : broken)
    text += ", " + std::to_string(count) + " " + why;
  return text;
}

class UpgradeUnderTraffic : public Scenario {
 protected:
  // A backend here and one elsewhere.
  void serve() {
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
    add_daemon(1);
    put({.node_port = 30080}, {backend(1, 1), backend(2, 1)});
    ASSERT_NO_FATAL_FAILURE(start_daemons());
  }

  void hold(unsigned of_each) {
    for (const Transport transport : kTransports)
      for (const Family family : kFamilies) {
        auto hold = Hold::start(*lab_, lab_->client(), vip_of(10, family), of_each, {transport, kInterval});
        ASSERT_TRUE(hold) << hold.error().message;
        holds_.emplace_back(std::string(name_of(transport)) + " " + name_of(family), std::move(*hold));
      }
  }

  static std::string name_of(Family family) { return family == Family::IPv4 ? "IPv4" : "IPv6"; }
  static const char* name_of(Transport transport) { return test::name_of(transport); }

  void replace_by(const std::string& program) {
    EXPECT_EQ(daemon().stop(), 0);
    daemon().use_program(program);
    const auto started = daemon().start();
    ASSERT_TRUE(started) << started.error().message;
    EXPECT_TRUE(daemon().query<admin::StatusView>({"status"})->adopted);
    EXPECT_THAT(daemon().log(), HasSubstr("adopted 4 service ports, 8 backends"));
  }

  // Connections are made all the while, and their servers speak at all times.
  void listen() {
    for (const Family family : kFamilies) {
      auto listening = Listening::start(*lab_, lab_->client(), vip_of(10, family));
      ASSERT_TRUE(listening) << listening.error().message;
      listening_.push_back(std::move(*listening));
    }
  }

  void expect_all_heard_out() {
    for (Listening& one : listening_) {
      const auto report = one.finish();
      ASSERT_TRUE(report) << report.error().message;
      std::cout << report->connections << " connections on which the server speaks\n";
      EXPECT_THAT(report->broken, IsEmpty());
    }
  }

  // Every connection has asked again.
  void let_all_speak() { std::this_thread::sleep_for(kInterval + seconds(1)); }

  // None has broken, and both backends have some.
  void expect_all_held() {
    for (auto& [what, hold] : holds_) {
      const auto connections = hold.finish();
      ASSERT_TRUE(connections) << connections.error().message;
      std::cout << what << ": " << describe(*connections) << "\n";
      Counts servers;
      for (const HeldConnection& one : *connections) {
        EXPECT_EQ(one.broken, "") << what << " from port " << one.local_port;
        ++servers[one.server];
      }
      EXPECT_EQ(servers.size(), 2U) << what;
    }
  }

  std::size_t pinned_maps() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(lab_->node(1).pins + "/maps"))
      count += !entry.is_directory();
    return count;
  }

  std::vector<std::pair<std::string, Hold>> holds_;
  std::vector<Listening> listening_;
};

TEST_F(UpgradeUnderTraffic, AndBackLosesNothing) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const std::size_t maps = pinned_maps();
  ASSERT_NO_FATAL_FAILURE(hold(kOfEach));
  for (const char* program : {FAIRLEAD_OTHER_LBD_PROGRAM, ""}) {
    ASSERT_NO_FATAL_FAILURE(replace_by(program));
    EXPECT_THAT(daemon().log(), Not(HasSubstr("cannot be taken over")));
    EXPECT_EQ(pinned_maps(), maps) << "maps of both layouts";
    let_all_speak();
  }
  expect_all_held();
}

// Those that the other build's programs make after the first copy of its flows: until these are here too, their
// backends speak to nobody.
TEST_F(UpgradeUnderTraffic, LosesNoConnectionThatIsMadeDuringIt) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(listen());
  for (const char* program : {FAIRLEAD_OTHER_LBD_PROGRAM, ""}) {
    let_all_speak();
    ASSERT_NO_FATAL_FAILURE(replace_by(program));
    EXPECT_THAT(daemon().log(), Not(HasSubstr("cannot be taken over")));
  }
  let_all_speak();
  expect_all_heard_out();
}

// An entry that nobody can remove: what stands after it goes all the same, and its lbd says what is left, until it is
// gone. The other build must not believe what it left itself, back when its services were others.
TEST_F(UpgradeUnderTraffic, AndBackPastWhatCannotBeRemovedLosesNothing) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const std::size_t maps = pinned_maps();
  const fs::path block = lab_->node(1).pins + "/maps/lb_aaa-v1";
  fs::create_directory(block);
  ASSERT_NO_FATAL_FAILURE(replace_by(FAIRLEAD_OTHER_LBD_PROGRAM));
  EXPECT_EQ(pinned_maps(), maps);
  const auto problems = [&] { return daemon().query<std::vector<admin::ProblemView>>({"problems"})->size(); };
  EXPECT_EQ(problems(), 1U);
  // Backends that the first build has never seen, in the places of those that it has.
  put({.node_port = 30080}, {});
  ASSERT_TRUE(balances_over(daemon(), "default/web", 0));
  std::this_thread::sleep_for(seconds(7));  // a slot's rest
  put({.node_port = 30080}, {backend(1, 1), backend(2, 1)});
  ASSERT_TRUE(balances_over(daemon(), "default/web", 2));
  ASSERT_NO_FATAL_FAILURE(hold(10));
  ASSERT_NO_FATAL_FAILURE(replace_by(""));
  let_all_speak();
  expect_all_held();
  fs::remove(block);
  EXPECT_TRUE(eventually(kSoon, [&] { return problems() == 0; })) << daemon().log();
  const std::string log = daemon().log(), told = "error   maps of another lbd: remove " + block.string();
  const auto first = log.find(told);
  ASSERT_NE(first, log.npos) << log;
  EXPECT_EQ(log.find(told, first + 1), log.npos) << "once: " << log;
}

// As an lbd of another version left them: programs and links that go on, and maps that nobody understands.
TEST_F(UpgradeUnderTraffic, FromADirectoryThatNobodyKnowsLeavesNothingBehind) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const std::string& pins = lab_->node(1).pins;
  EXPECT_EQ(daemon().stop(), 0);
  fs::create_directory(pins + "/v0");
  fs::rename(pins + "/links", pins + "/v0/links");
  for (const auto& entry : fs::directory_iterator(pins + "/maps"))
    fs::rename(entry.path(), pins + "/v0/" + entry.path().filename().string());
  fs::remove_all(pins + "/layouts");
  const auto started = daemon().start();
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_THAT(daemon().log(), HasSubstr("/v0: maps of an lbd that this one does not know"));
  EXPECT_FALSE(fs::exists(pins + "/v0"));
  EXPECT_EQ(ask(Transport::Tcp, vip_of(10, Family::IPv4)).failed, 0U);
}

}  // namespace
}  // namespace fairlead::test
