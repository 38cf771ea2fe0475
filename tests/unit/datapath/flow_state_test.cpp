// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "maps/abi.h"

// What packets make of a flow's state: maps/flow_state.h.
namespace {

constexpr std::uint8_t kTcp = LB_IPPROTO_TCP, kUdp = LB_IPPROTO_UDP;
constexpr unsigned kAnswered = LB_FLOW_ANSWERED, kConfirmed = LB_FLOW_ANSWERED | LB_FLOW_CONFIRMED,
                   kFinClient = LB_FLOW_FIN_CLIENT, kFinBackend = LB_FLOW_FIN_BACKEND, kRst = LB_FLOW_RST,
                   kClientFirst = LB_FLOW_CLIENT_FIRST, kLastAck = LB_FLOW_LAST_ACK, kFins = LB_FLOW_FINS;
constexpr unsigned kReply = LB_SEEN_REPLY, kSpeaks = LB_SEEN_SPEAKS, kConfirms = LB_SEEN_SPEAKS | LB_SEEN_CONFIRMS,
                   kFin = LB_SEEN_FIN, kReset = LB_SEEN_RST, kGoesOn = LB_SEEN_SPEAKS | LB_SEEN_GOES_ON;

struct Step {
  const char* name;
  std::uint8_t proto;
  unsigned state, seen, next;
  lb_timeout timeout;
};

const Step kSteps[] = {
    {"a SYN", kTcp, 0, 0, 0, LB_TIMEOUT_TCP_NEW},
    {"its answer", kTcp, 0, kReply, kAnswered, LB_TIMEOUT_TCP_NEW},
    {"an acknowledgement before any answer", kTcp, 0, kConfirms, 0, LB_TIMEOUT_TCP_NEW},
    {"of something else", kTcp, kAnswered, kSpeaks, kAnswered, LB_TIMEOUT_TCP_NEW},
    {"of the answer", kTcp, kAnswered, kConfirms, kConfirmed, LB_TIMEOUT_TCP_ESTABLISHED},
    {"a SYN on it", kTcp, kConfirmed, 0, kConfirmed, LB_TIMEOUT_TCP_ESTABLISHED},
    {"data of the backend", kTcp, kConfirmed, kReply, kConfirmed, LB_TIMEOUT_TCP_ESTABLISHED},
    {"a FIN before an answer", kTcp, 0, kSpeaks | kFin, kFinClient | kClientFirst, LB_TIMEOUT_TCP_NEW},
    {"a FIN before the handshake is over", kTcp, kAnswered, kSpeaks | kFin, kAnswered | kFinClient | kClientFirst,
     LB_TIMEOUT_TCP_NEW},
    {"a FIN that ends the handshake", kTcp, kAnswered, kConfirms | kFin, kConfirmed | kFinClient | kClientFirst,
     LB_TIMEOUT_TCP_HALF_CLOSED},
    {"the client's FIN", kTcp, kConfirmed, kSpeaks | kFin, kConfirmed | kFinClient | kClientFirst,
     LB_TIMEOUT_TCP_HALF_CLOSED},
    {"the same again", kTcp, kConfirmed | kFinClient | kClientFirst, kSpeaks | kFin,
     kConfirmed | kFinClient | kClientFirst, LB_TIMEOUT_TCP_HALF_CLOSED},
    {"an acknowledgement behind it", kTcp, kConfirmed | kFinClient | kClientFirst, kSpeaks,
     kConfirmed | kFinClient | kClientFirst, LB_TIMEOUT_TCP_HALF_CLOSED},
    {"data behind it", kTcp, kConfirmed | kFinClient | kClientFirst, kGoesOn, kConfirmed, LB_TIMEOUT_TCP_ESTABLISHED},
    {"the backend's FIN after it", kTcp, kConfirmed | kFinClient | kClientFirst, kReply | kFin,
     kConfirmed | kFins | kClientFirst, LB_TIMEOUT_TCP_CLOSED},
    {"the last acknowledgement", kTcp, kConfirmed | kFins | kClientFirst, kSpeaks,
     kConfirmed | kFins | kClientFirst | kLastAck, LB_TIMEOUT_TCP_CLOSED},
    {"data behind it all", kTcp, kConfirmed | kFins | kClientFirst | kLastAck, kGoesOn, kConfirmed | kFinBackend,
     LB_TIMEOUT_TCP_HALF_CLOSED},
    {"the backend's FIN", kTcp, kConfirmed, kReply | kFin, kConfirmed | kFinBackend, LB_TIMEOUT_TCP_HALF_CLOSED},
    {"the client's after it", kTcp, kConfirmed | kFinBackend, kSpeaks | kFin, kConfirmed | kFins,
     LB_TIMEOUT_TCP_CLOSED},
    {"a reset", kTcp, kConfirmed, kReset, kConfirmed | kRst, LB_TIMEOUT_TCP_CLOSED},
    {"the backend's reset", kTcp, kConfirmed, kReply | kReset, kConfirmed | kRst, LB_TIMEOUT_TCP_CLOSED},
    {"a client that speaks after it", kTcp, kConfirmed | kRst, kSpeaks, kConfirmed, LB_TIMEOUT_TCP_ESTABLISHED},
    {"a SYN after it", kTcp, kConfirmed | kRst, 0, kConfirmed | kRst, LB_TIMEOUT_TCP_CLOSED},
    {"a backend that speaks after it", kTcp, kConfirmed | kRst, kReply, kConfirmed | kRst, LB_TIMEOUT_TCP_CLOSED},
    {"refused", kTcp, 0, kReply | kReset, kAnswered | kRst, LB_TIMEOUT_TCP_CLOSED},
    {"a question", kUdp, 0, kConfirms, 0, LB_TIMEOUT_UDP_NEW},
    {"an answer", kUdp, 0, kReply, kAnswered, LB_TIMEOUT_UDP_NEW},
    {"another question", kUdp, kAnswered, kConfirms, kConfirmed, LB_TIMEOUT_UDP_STREAM},
    {"another answer", kUdp, kConfirmed, kReply, kConfirmed, LB_TIMEOUT_UDP_STREAM},
    {"what would be a FIN", kUdp, kConfirmed, kConfirms | kFin, kConfirmed, LB_TIMEOUT_UDP_STREAM},
};

TEST(FlowState, FollowsWhatIsSeen) {
  for (const Step& step : kSteps) {
    SCOPED_TRACE(step.name);
    const std::uint8_t next =
        lb_flow_next(step.proto, static_cast<std::uint8_t>(step.state), static_cast<std::uint8_t>(step.seen));
    EXPECT_EQ(next, step.next);
    EXPECT_EQ(lb_flow_timeout(step.proto, next), step.timeout);
  }
}

// Both CPUs tell both entries: which came first must not matter.
TEST(FlowState, BothFinsAreSeenInEitherOrder) {
  const auto after = [](unsigned first, unsigned second) {
    const std::uint8_t state = lb_flow_next(kTcp, kConfirmed, static_cast<std::uint8_t>(first));
    return lb_flow_next(kTcp, state, static_cast<std::uint8_t>(second));
  };
  EXPECT_TRUE(lb_flow_is_closed(after(kSpeaks | kFin, kReply | kFin)));
  EXPECT_TRUE(lb_flow_is_closed(after(kReply | kFin, kSpeaks | kFin)));
}

// A packet that is not looked at closer must change nothing, whatever its numbers are.
TEST(FlowState, IsSettledOnlyWhereNothingCanChange) {
  for (unsigned state = 0; state < 128; ++state)
    for (const bool reply : {false, true}) {
      // What there is only beside the client's FIN.
      if (state & (kClientFirst | kLastAck) && !(state & kFinClient)) continue;
      if (!lb_flow_is_settled(static_cast<std::uint8_t>(state), reply, LB_TCP_ACK)) continue;
      const std::vector<unsigned> shows = reply ? std::vector{kReply} : std::vector{kSpeaks, kConfirms, kGoesOn};
      for (const unsigned seen : shows)
        EXPECT_EQ(lb_flow_next(kTcp, static_cast<std::uint8_t>(state), static_cast<std::uint8_t>(seen)), state)
            << state << " " << seen;
    }
  for (const std::uint8_t flag : {LB_TCP_SYN, LB_TCP_FIN, LB_TCP_RST})
    EXPECT_FALSE(lb_flow_is_settled(kConfirmed, false, flag));
}

TEST(FlowState, SaysWhatAFlowIsWorth) {
  EXPECT_EQ(lb_flow_worth(0), LB_WORTH_UNCONFIRMED);
  EXPECT_EQ(lb_flow_worth(kAnswered), LB_WORTH_UNCONFIRMED);
  EXPECT_EQ(lb_flow_worth(kConfirmed), LB_WORTH_CONFIRMED);
  EXPECT_EQ(lb_flow_worth(kConfirmed | kFinClient), LB_WORTH_CONFIRMED);
  EXPECT_EQ(lb_flow_worth(kConfirmed | kFins), LB_WORTH_CLOSED);
  EXPECT_EQ(lb_flow_worth(kConfirmed | kRst), LB_WORTH_CLOSED);
  EXPECT_TRUE(lb_flow_is_finished(kConfirmed | kFins | kClientFirst | kLastAck));
  EXPECT_FALSE(lb_flow_is_finished(kConfirmed | kFins | kClientFirst)) << "its backend waits for the last ACK";
  EXPECT_FALSE(lb_flow_is_finished(kConfirmed | kFins | kLastAck)) << "its backend is in TIME_WAIT";
  EXPECT_TRUE(lb_flow_is_finished(kConfirmed | kRst));
}

TEST(FlowState, BeginsWithASynOrInTheMiddle) {
  for (const unsigned flags : {LB_TCP_SYN, LB_TCP_ACK, LB_TCP_ACK | 0x08u, LB_TCP_SYN | 0xc0u})
    EXPECT_TRUE(lb_flow_may_begin(kTcp, static_cast<std::uint8_t>(flags))) << flags;
  for (const unsigned flags : {0u, LB_TCP_FIN, LB_TCP_FIN | LB_TCP_ACK, LB_TCP_SYN | LB_TCP_FIN, LB_TCP_RST,
                               LB_TCP_RST | LB_TCP_ACK, LB_TCP_SYN | LB_TCP_ACK, 0x3fu})
    EXPECT_FALSE(lb_flow_may_begin(kTcp, static_cast<std::uint8_t>(flags))) << flags;
  EXPECT_TRUE(lb_flow_may_begin(kUdp, 0));
}

// A connection as its forward entry knows it: the backend answered with kIsn and waits for kClient.
constexpr std::uint32_t kIsn = 0xfffffff0u, kClient = 5000;
constexpr unsigned kSyn = LB_TCP_SYN, kAck = LB_TCP_ACK, kFinFlag = LB_TCP_FIN, kRstFlag = LB_TCP_RST;

lb_segment segment(unsigned flags, std::uint32_t seq, std::uint32_t ack = 0, std::uint16_t length = 0) {
  return {seq, ack, length, static_cast<std::uint8_t>(flags), 0};
}

lb_progress answered() {
  lb_progress progress{};
  const lb_segment answer = segment(kSyn | kAck, kIsn, kClient);
  lb_progress_note(&progress, &answer, true);
  return progress;
}

struct Shown {
  const char* name;
  bool reply;
  lb_segment segment;
  unsigned state, seen;
};

const Shown kShown[] = {
    {"the handshake's last", false, segment(kAck, kClient, kIsn + 1), kAnswered, kConfirms},
    {"its first data", false, segment(kAck, kClient, kIsn + 1, 100), kAnswered, kConfirms},
    {"behind data that came meanwhile", false, segment(kAck, kClient, kIsn + 1 + 14600), kAnswered, kConfirms},
    {"acknowledges what was not sent", false, segment(kAck, kClient, kIsn), kAnswered, kSpeaks},
    {"acknowledges too much", false, segment(kAck, kClient, kIsn + 1 + 65536), kAnswered, kSpeaks},
    {"without ACK", false, segment(0, kClient, kIsn + 1), kAnswered, kSpeaks},
    {"a SYN", false, segment(kSyn, 77), kConfirmed, 0},
    {"a FIN", false, segment(kFinFlag | kAck, kClient, kIsn + 1), kConfirmed, kConfirms | kFin},
    {"a reset where it is expected", false, segment(kRstFlag, kClient), kConfirmed, kReset},
    {"a little further", false, segment(kRstFlag, kClient + 900000), kConfirmed, kReset},
    {"a reset from nowhere", false, segment(kRstFlag, kClient + 0x40000000u), kConfirmed, kFin},
    {"one far ahead that acknowledges what was sent", false, segment(kRstFlag | kAck, kClient + 0x40000000u, kIsn + 1),
     kConfirmed, kReset},
    {"one that acknowledges something else", false, segment(kRstFlag | kAck, kClient + 0x40000000u, kIsn - 0x40000000u),
     kConfirmed, kFin},
    {"one with the number of an acknowledgement that it is not", false,
     segment(kRstFlag, kClient + 0x40000000u, kIsn + 1), kConfirmed, kFin},
    {"of what is worth nothing", false, segment(kRstFlag, kClient + 0x40000000u), kAnswered, kReset},
    {"the backend's reset", true, segment(kRstFlag, kIsn + 1), kConfirmed, kReply | kReset},
    {"the backend's from nowhere", true, segment(kRstFlag, kIsn + 0x40000000u), kConfirmed, kReply | kFin},
    {"the backend's far ahead that acknowledges what was sent", true,
     segment(kRstFlag | kAck, kIsn + 0x40000000u, kClient), kConfirmed, kReply | kReset},
    {"the backend's that acknowledges something else", true,
     segment(kRstFlag | kAck, kIsn + 0x40000000u, kClient - 0x40000000u), kConfirmed, kReply | kFin},
    {"the backend's FIN", true, segment(kFinFlag | kAck, kIsn + 1, kClient), kConfirmed, kReply | kFin},
};

TEST(FlowState, SeesWhatASegmentShows) {
  for (const Shown& shown : kShown) {
    SCOPED_TRACE(shown.name);
    const lb_progress progress = answered();
    EXPECT_EQ(lb_segment_seen(&progress, &shown.segment, static_cast<std::uint8_t>(shown.state), shown.reply),
              shown.seen);
  }
}

TEST(FlowState, ConfirmsNothingWithoutTheAnswersNumber) {
  const lb_progress nothing{};
  const lb_segment ack = segment(kAck, kClient, 1);
  EXPECT_EQ(lb_segment_seen(&nothing, &ack, kAnswered, false), kSpeaks);
}

// A flow that began in the middle: whatever the backend sends is the answer, an empty segment, too.
TEST(FlowState, ConfirmsAConnectionThatCameFromElsewhere) {
  lb_progress progress{};
  const lb_segment reply = segment(kAck, 9000, kClient), next = segment(kAck, kClient, 9000);
  lb_progress_note(&progress, &reply, true);
  EXPECT_EQ(lb_segment_seen(&progress, &next, kAnswered, false), kConfirms);
}

TEST(FlowState, TellsDataBehindAFinFromDataSentAgain) {
  lb_progress progress = answered();
  const lb_segment fin = segment(kFinFlag | kAck, kClient + 1000, kIsn + 1);
  lb_progress_note(&progress, &fin, false);
  const auto seen = [&](std::uint32_t seq, std::uint16_t length) {
    const lb_segment data = segment(kAck, seq, 1, length);
    return lb_segment_seen(&progress, &data, kConfirmed | kFinClient, false) & LB_SEEN_GOES_ON;
  };
  EXPECT_FALSE(seen(kClient + 500, 500)) << "lost, and sent again";
  EXPECT_TRUE(seen(kClient + 1001, 500)) << "behind the FIN";
  EXPECT_TRUE(seen(kClient + 0x70000000u, 500)) << "far from it: the FIN was not the client's";
  EXPECT_FALSE(seen(kClient + 1001, 0)) << "an acknowledgement";
}

}  // namespace
