// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <cstdlib>

#include "tests/lab/scenario.h"

// What a flood from addresses that nobody has leaves of the connections of those who are there.
// FAIRLEAD_FLOOD_SECONDS=60 has each flood go on for a minute, at the full rate of this machine, rather than for as
// long as shows what it does, at a rate at which the machine itself drops nothing.
namespace fairlead::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::IsEmpty;

constexpr unsigned kBusy = 100, kIdle = 100, kNewcomers = 200;
// How long TCP may need to make up for what a flooded machine drops before any of our programs sees it.
constexpr seconds kPatience{20};
// Small enough to be full soon, large enough that a newcomer's handshake is over before its place is the eldest.
constexpr std::uint64_t kFlows = 16384, kRoom = 2 * kFlows;

const char* const kLong = std::getenv("FAIRLEAD_FLOOD_SECONDS");
const std::string kRate = kLong ? "0" : "20000";

seconds flood_time() {
  return seconds(kLong ? std::atoi(kLong) : 2);
}

// TCP doubles its pauses, so the first try after a flood may come as late as the flood was long.
milliseconds until_broken() {
  return 2 * flood_time() + kPatience;
}

class Flood : public Scenario {
 protected:
  void serve() {
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 2}));
    // As in a network where they could be anybody: the router drops what it has no way back to.
    const auto routed =
        lab_->run_in(lab_->router(), {"ip", "route", "add", "100.64.0.0/10", "via", lab_->client().ipv4.to_string()});
    ASSERT_TRUE(routed) << routed.error().message;
    add_daemon(1, {.more = {{"--max-flows-ipv4", std::to_string(kFlows)}}});
    put({}, {backend(1, 1), backend(1, 2), backend(2, 1), backend(2, 2)});
    ASSERT_NO_FATAL_FAILURE(start_daemons());
  }

  void hold(unsigned connections, const Hold::Plan& plan) {
    auto hold = Hold::start(*lab_, lab_->client(), vip_, connections, plan);
    ASSERT_TRUE(hold) << hold.error().message;
    holds_.push_back(std::move(*hold));
  }

  void expect_unbroken() {
    for (Hold& hold : holds_) {
      const auto connections = hold.finish();
      ASSERT_TRUE(connections) << connections.error().message;
      Counts broken;
      for (const HeldConnection& one : *connections)
        if (!one.broken.empty()) ++broken[one.broken];
      EXPECT_THAT(broken, IsEmpty());
    }
  }

  std::uint64_t flows_made() {
    auto counts = verdicts(daemon(), kArriving);
    return counts["local_new"] + counts["remote_new"];
  }

  // Newcomers come in all the while, until the flood has lasted and has filled the table twice.
  void flood(Transport transport) {
    std::vector<std::string> arguments{"flood", vip_.to_string(), "--rate", kRate};
    if (transport == Transport::Udp) arguments.push_back("--udp");
    const std::uint64_t before = flows_made();
    auto flood = lab_->start_peer(lab_->client(), arguments);
    ASSERT_TRUE(flood && flood->wait_for_line("ready", kSoon));
    const auto until = std::chrono::steady_clock::now() + flood_time();
    unsigned answered = 0, asked = 0;
    const bool filled = eventually(flood_time() + seconds(60), [&] {
      const AskReport report = ask(Transport::Tcp, vip_, {.count = 50, .parallel = 4, .timeout = kPatience});
      answered += report.answered;
      asked += report.answered + report.failed;
      return std::chrono::steady_clock::now() >= until && flows_made() - before >= 2 * kRoom;
    });
    EXPECT_TRUE(filled) << flows_made() - before << " flows";
    EXPECT_EQ(flood->terminate(), 0);
    EXPECT_GE(answered, asked * 99 / 100) << "of " << asked << " newcomers";
    std::cout << name_of(transport) << ": " << flood->out() << answered << " of " << asked
              << " newcomers answered during it\n";
  }

  const Endpoint vip_ = vip_of(10, Family::IPv4);
  std::vector<Hold> holds_;
};

TEST_F(Flood, LeavesConnectionsAndLetsNewcomersIn) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(hold(kBusy, {.interval = milliseconds(100), .timeout = until_broken()}));
  ASSERT_NO_FATAL_FAILURE(hold(kIdle, {.timeout = until_broken(), .idle = true}));
  for (const Transport transport : kTransports) {
    SCOPED_TRACE(name_of(transport));
    ASSERT_NO_FATAL_FAILURE(flood(transport));
    EXPECT_EQ(ask(Transport::Tcp, vip_, {.count = kNewcomers, .timeout = kPatience}).answered, kNewcomers);
  }
  expect_unbroken();
}

}  // namespace
}  // namespace fairlead::test
