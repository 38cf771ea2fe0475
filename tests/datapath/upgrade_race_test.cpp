// SPDX-License-Identifier: Apache-2.0
#include "tests/datapath/upgrade_fixture.h"
#include "userspace/datapath/foreign_pools.h"

// What the programs of both builds do at once, while lbd takes over: the other build's go on making and ending flows
// after the first copy, and ours begin before the last. Each test is one order of events.
namespace fairlead::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint8_t kEstablished = LB_FLOW_ANSWERED | LB_FLOW_CONFIRMED;
constexpr std::uint8_t kFinished = kEstablished | LB_FLOW_FINS | LB_FLOW_CLIENT_FIRST | LB_FLOW_LAST_ACK;

// Two connections to a backend on another node. In the other build's table the later one gets the port of the former.
class UpgradeRace : public Upgrade, public testing::WithParamInterface<Family> {
 protected:
  static constexpr std::uint16_t kFormer = 40001, kLater = 40002;
  enum Which { FORWARD = 1, REPLY = 2, BOTH = FORWARD | REPLY };

  void serve_both() {
    ASSERT_NO_FATAL_FAILURE(serve());
    former_ = begin(GetParam(), LB_IPPROTO_TCP, kRemotePort, kFormer);
    later_ = begin(GetParam(), LB_IPPROTO_TCP, kRemotePort, kLater);
    port_ = dissect(former_.request_seen).packet.sport;
  }

  // Both are there, the former finished, and the maps are another build's.
  void leave(std::uint8_t former_state = kFinished) {
    ASSERT_NO_FATAL_FAILURE(serve_both());
    leave_all_scrambled();
    set_state(kFormer, former_state);
    set_state(kLater, kEstablished);
  }

  void each(std::uint16_t client_port, Which which, const std::function<void(OtherEntry&)>& visit) {
    each_other_flow(other(is_ipv4() ? "lb_flow4" : "lb_flow6"), [&](OtherEntry& entry) {
      const bool reply = entry.get("head.flags") & LB_FLOW_REPLY;
      if (which & (reply ? REPLY : FORWARD) && entry.get(reply ? "head.new_dport" : "head.sport") == client_port)
        visit(entry);
    });
  }

  void set_state(std::uint16_t client_port, std::uint8_t state) {
    each(client_port, BOTH, [&](OtherEntry& entry) { entry.set("head.state", state); });
  }

  // While it is being written it is not read. Begins that, and ends it.
  void toggle_writing(std::uint16_t client_port, Which which) {
    each(client_port, which, [](OtherEntry& entry) { entry.set("head.seq", entry.get("head.seq") ^ 1); });
  }

  // No program of the other build has written it since it was put there.
  static void as_copied(OtherEntry& entry) { entry.set("head.seq", 0x80000000); }

  // A copy of the other build's table, which a third one has made.
  void leave_copy(const char* table) {
    const datapath::ForeignMap from = other(table);
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = from.info.map_flags);
    const Fd to(bpf_map_create(static_cast<bpf_map_type>(from.info.type), table, 4, from.info.value_size,
                               from.info.max_entries, &options));
    std::vector<std::byte> set((from.info.value_size + 7) / 8 * 8);
    for (std::uint32_t i = 0; i < from.info.max_entries; ++i) {
      ASSERT_EQ(bpf_map_lookup_elem(from.fd.get(), &i, set.data()), 0);
      ASSERT_EQ(bpf_map_update_elem(to.get(), &i, set.data(), BPF_ANY), 0);
    }
    pin_instead(pins_.map(table, kOtherNumber + 1), to.get());
    pin_instead(pins_.layout(table, kOtherNumber + 1),
                Fd(bpf_obj_get(pins_.layout(table, kOtherNumber).c_str())).get());
  }

  // What the other build's programs do when they give the former's port to the later.
  void take_port_over() {
    each(kFormer, BOTH, [](OtherEntry& entry) { entry.set("head.proto", 0); });
    give_port(port_);
  }

  void give_port(std::uint16_t port) {
    each(kLater, FORWARD, [&](OtherEntry& entry) { entry.set("head.new_sport", htons(port)); });
    each(kLater, REPLY, [&](OtherEntry& entry) { entry.set("head.dport", htons(port)); });
  }

  // What a program of this build does to an entry of a flow, in this build's table.
  void write(std::uint16_t client_port, Which which, const std::function<void(lb_flow&)>& change) {
    const auto visit = [&](auto& sets) {
      for (auto& set : sets.values())
        for (auto& entry : set.way) {
          const bool reply = entry.head.flags & LB_FLOW_REPLY;
          if (!entry.head.proto || !(which & (reply ? REPLY : FORWARD)) ||
              ntohs(reply ? entry.head.new_dport : entry.head.sport) != client_port)
            continue;
          change(entry.head);
          entry.head.seq += 2;
        }
    };
    if (is_ipv4())
      visit(object().flows4);
    else
      visit(object().flows6);
  }

  // Every way that is free gets an entry of nobody's.
  void fill_table() {
    const auto fill = [](auto& sets) {
      for (auto& set : sets.values())
        for (auto& entry : set.way)
          if (!entry.head.proto) {
            entry = {};
            entry.head.proto = 255;
          }
    };
    if (is_ipv4())
      fill(object().flows4);
    else
      fill(object().flows6);
  }

  unsigned entries_of(std::uint16_t client_port) {
    unsigned count = 0;
    write(client_port, BOTH, [&](const lb_flow&) { ++count; });
    return count;
  }

  std::uint64_t busy() { return datapath::read_verdicts(object())[LB_HOOK_XDP][LB_VERDICT_FLOW_BUSY]; }

  // The port that a flow's requests leave from, and the client's port that the answer to a port comes to.
  std::uint16_t leaves_from(const Known& flow) { return dissect(send(LB_HOOK_XDP, flow.request).frame).packet.sport; }
  std::uint16_t answer_comes_to(std::uint16_t port) {
    Packet answer = dissect(later_.reply).packet;
    answer.dport = port;
    return dissect(send(LB_HOOK_XDP, build(answer)).frame).packet.dport;
  }

  void expect_later_lives_at(std::uint16_t port) {
    EXPECT_EQ(leaves_from(later_), port);
    EXPECT_EQ(answer_comes_to(port), kLater);
  }

  Packet new_connection() {
    Packet syn = dissect(later_.request).packet;
    syn.sport = kLater + 1;
    syn.tcp_flags = kSyn;
    return syn;
  }

  bool is_ipv4() const { return GetParam() == Family::IPv4; }

  Known former_, later_;
  std::uint16_t port_ = 0;
};

// After the first copy.
TEST_P(UpgradeRace, APortTakenOverIsTheNewFlows) {
  ASSERT_NO_FATAL_FAILURE(leave());
  toggle_writing(kLater, BOTH);
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  toggle_writing(kLater, BOTH);
  take_port_over();
  object().begin_handover();
  expect_later_lives_at(port_);
  ASSERT_NO_FATAL_FAILURE(finish());
  expect_later_lives_at(port_);
  EXPECT_EQ(entries_of(kFormer), 0U);
  EXPECT_EQ(ports_in_use(), 1U);
  EXPECT_THAT(object().lost(), IsEmpty());
}

// Between the two steps of a copy: its reply entry has been passed by when its forward entry is found. A forward entry
// without its reply entry is a connection that is silent for good.
TEST_P(UpgradeRace, AForwardEntryBringsItsReplyEntry) {
  ASSERT_NO_FATAL_FAILURE(leave());
  toggle_writing(kLater, BOTH);
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  toggle_writing(kLater, FORWARD);
  take_port_over();
  object().begin_handover();
  expect_later_lives_at(port_);
  toggle_writing(kLater, REPLY);
  ASSERT_NO_FATAL_FAILURE(finish());
  expect_later_lives_at(port_);
  EXPECT_EQ(entries_of(kFormer), 0U);
}

// After the last copy but one, so that its answer meets the former flow, which is finished: it is lost, and sent again.
// To the former's client it would be a reason to reset the connection.
TEST_P(UpgradeRace, AnAnswerIsNotTheFinishedFlows) {
  ASSERT_NO_FATAL_FAILURE(leave());
  toggle_writing(kLater, BOTH);
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  object().begin_handover();
  toggle_writing(kLater, BOTH);
  take_port_over();
  const std::uint64_t before = busy();
  EXPECT_EQ(answer_comes_to(port_), port_) << "not translated";
  EXPECT_EQ(busy(), before + 1);
  ASSERT_NO_FATAL_FAILURE(finish());
  expect_later_lives_at(port_);
}

// What our programs have written of a finished flow does not keep the port from the one that has it.
TEST_P(UpgradeRace, APortIsNotTheFinishedFlowsBecauseItWasWritten) {
  ASSERT_NO_FATAL_FAILURE(leave());
  toggle_writing(kLater, BOTH);
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  object().begin_handover();
  write(kFormer, BOTH, [](lb_flow&) {});
  toggle_writing(kLater, BOTH);
  take_port_over();
  ASSERT_NO_FATAL_FAILURE(finish());
  expect_later_lives_at(port_);
  EXPECT_EQ(entries_of(kFormer), 0U) << "its packets would be the other's";
  EXPECT_THAT(object().lost(), IsEmpty());
}

// A client's port is used again: what our programs have written of the connection that is over does not keep the new
// one away.
TEST_P(UpgradeRace, AClientsPortIsNotTheFinishedFlowsBecauseItWasWritten) {
  ASSERT_NO_FATAL_FAILURE(leave());
  set_state(kLater, kFinished);
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  object().begin_handover();
  write(kLater, BOTH, [](lb_flow&) {});
  set_state(kLater, kEstablished);
  const auto port = static_cast<std::uint16_t>(port_ == config_.snat_ports.first ? port_ + 1 : port_ - 1);
  give_port(port);
  ASSERT_NO_FATAL_FAILURE(finish());
  expect_later_lives_at(port);
  EXPECT_EQ(entries_of(kLater), 2U);
  EXPECT_THAT(object().lost(), IsEmpty());
}

// The port is another's who is worth as much, as where both builds have gone on for long: the flow is lost, and named.
// Its forward entry goes, too, so that its client is told when it speaks.
TEST_P(UpgradeRace, AFlowThatLosesItsPortIsNotSilent) {
  ASSERT_NO_FATAL_FAILURE(leave(kEstablished));
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  const std::uint16_t port = dissect(later_.request_seen).packet.sport;
  write(kLater, REPLY, [](lb_flow& reply) { reply.new_dport = htons(kLater + 1); });
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(entries_of(kLater), 0U);
  EXPECT_EQ(answer_comes_to(port), kLater + 1);
  EXPECT_THAT(object().lost(),
              ElementsAre(HasSubstr("1 of 4 entries have answers that by now are another connection's")));
}

TEST_P(UpgradeRace, WhatAFinishedFlowLosesIsNotSaid) {
  ASSERT_NO_FATAL_FAILURE(leave());
  set_state(kLater, kFinished);
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  write(kLater, REPLY, [](lb_flow& reply) { reply.new_dport = htons(kLater + 1); });
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(entries_of(kLater), 0U);
  EXPECT_THAT(object().lost(), IsEmpty());
}

// While both builds' programs give ports to new connections, no port is free for both.
TEST_P(UpgradeRace, NoPortIsGivenToTwo) {
  ASSERT_NO_FATAL_FAILURE(leave());
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  const auto theirs =
      datapath::ForeignPools::map(*datapath::open_foreign(pins_, layout_of("lb_snat_pools"), kOtherNumber));
  ASSERT_TRUE(theirs);
  object().begin_handover();
  EXPECT_EQ(xdp(new_connection()).verdict, "remote_new");
  unsigned free_here = 0, free_there = 0, free_for_both = 0;
  for (std::size_t pool = 0; pool < LB_SNAT_POOLS; ++pool)
    for (std::size_t word = 0; word < object().config().snat_port_words; ++word) {
      const std::uint64_t here = ~object().snat_pools[pool].used[word], there = theirs->take(pool, word, ~0ull);
      free_here += here != 0;
      free_there += there != 0;
      free_for_both += (here & there) != 0;
    }
  EXPECT_EQ(free_here, LB_SNAT_POOLS * object().config().snat_port_words);
  EXPECT_EQ(free_there, free_here);
  EXPECT_EQ(free_for_both, 0U);
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(ports_in_use(), 3U);
}

// The other build's pools are not known: TCP sends its SYN again, and by then all flows are here.
TEST_P(UpgradeRace, NoPortIsGivenToTcpWhereAllMayBeTheOthers) {
  ASSERT_NO_FATAL_FAILURE(leave());
  unlink(pins_.map("lb_snat_pools", kOtherNumber).c_str());
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  object().begin_handover();
  EXPECT_EQ(xdp(new_connection()).verdict, "flow_busy");
  Packet local = new_connection();
  local.dport = kLocalPort;
  EXPECT_EQ(xdp(local).verdict, "local_new");
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(xdp(new_connection()).verdict, "remote_new");
  EXPECT_EQ(ports_in_use(), 3U);
}

// A NodePort's connection that is still to come looks like one of the node's own, whose stack would reset it.
TEST_P(UpgradeRace, AConnectionToANodePortIsNotTheNodes) {
  constexpr std::uint16_t kNodePort = 30080;
  ASSERT_NO_FATAL_FAILURE(serve());
  put_service("nodeport", {""}, kNodePort, LB_IPPROTO_TCP, {{is_ipv4() ? "10.2.0.11" : "fd02::11", kBackendPort}});
  Packet segment = is_ipv4() ? tcp("198.51.100.7", kFormer, "10.1.0.1", kNodePort, kSyn)
                             : tcp("2001:db8:7::7", kFormer, "fd01::1", kNodePort, kSyn);
  ASSERT_EQ(xdp(segment).verdict, "remote_new");
  leave_all_scrambled();
  toggle_writing(kFormer, BOTH);
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  object().begin_handover();
  for (const lb_hook hook : {LB_HOOK_XDP, LB_HOOK_TC_INGRESS})
    for (const unsigned flags : {kAck + 0, kFin | kAck, kRst + 0}) {
      segment.tcp_flags = static_cast<std::uint8_t>(flags);
      EXPECT_EQ(run(hook, build(segment)).verdict, "flow_busy") << hook << " " << flags;
    }
  toggle_writing(kFormer, BOTH);
  ASSERT_NO_FATAL_FAILURE(finish());
  segment.tcp_flags = kAck;
  EXPECT_EQ(xdp(segment).verdict, "remote_hit");
  segment.sport = kLater;
  EXPECT_EQ(xdp(segment).verdict, "own_connection");
}

// The other build was killed before its programs were attached, and connections went on here: of those that have ended
// since it has nothing but copies.
TEST_P(UpgradeRace, AFlowThatHasEndedDoesNotComeBackFromACopyOfIt) {
  ASSERT_NO_FATAL_FAILURE(serve_both());
  write(kFormer, BOTH, [](lb_flow& entry) { entry.state = kEstablished; });
  write(kLater, BOTH, [](lb_flow& entry) { entry.state = kEstablished; });
  leave_beside();
  each(kFormer, BOTH, as_copied);
  each(kLater, BOTH, as_copied);
  write(kFormer, BOTH, [](lb_flow& entry) { entry.proto = 0; });
  write(kLater, BOTH, [](lb_flow& entry) { entry.proto = 0; });
  const Known anew = begin(GetParam(), LB_IPPROTO_TCP, kRemotePort, kFormer);
  const std::uint16_t port = dissect(anew.request_seen).packet.sport;
  ASSERT_NE(port, port_) << "which is still marked";
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  object().begin_handover();
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(leaves_from(anew), port) << "and not from the port of the one that has ended";
  EXPECT_EQ(entries_of(kFormer), 2U);
  EXPECT_EQ(entries_of(kLater), 0U);
  EXPECT_THAT(object().lost(), IsEmpty());
}

// What the other build's programs have made counts, though its maps are copies of these.
TEST_P(UpgradeRace, AFlowThatTheOthersProgramsMadeComes) {
  ASSERT_NO_FATAL_FAILURE(serve_both());
  leave_beside();
  each(kFormer, BOTH, as_copied);
  set_state(kLater, kEstablished);
  write(kLater, BOTH, [](lb_flow& entry) { entry.proto = 0; });
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  ASSERT_NO_FATAL_FAILURE(finish());
  expect_later_lives_at(dissect(later_.request_seen).packet.sport);
  EXPECT_EQ(entries_of(kFormer), 2U);
}

// A third build has left copies of the other's maps, and neither had this build's.
TEST_P(UpgradeRace, AFlowThatHasEndedThereDoesNotComeBackFromACopyOfIt) {
  ASSERT_NO_FATAL_FAILURE(leave());
  const char* table = is_ipv4() ? "lb_flow4" : "lb_flow6";
  each(kLater, BOTH, as_copied);
  leave_copy(table);
  each(kLater, BOTH, [](OtherEntry& entry) { entry.set("head.proto", 0); });
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(entries_of(kLater), 0U);
  EXPECT_EQ(entries_of(kFormer), 2U);
}

// Its programs take such a port at any time: it may have gone to another long ago.
TEST_P(UpgradeRace, WhatAnUnconfirmedFlowLosesIsNotSaid) {
  ASSERT_NO_FATAL_FAILURE(leave(kEstablished));
  set_state(kLater, LB_FLOW_ANSWERED);
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  write(kLater, REPLY, [](lb_flow& reply) { reply.new_dport = htons(kLater + 1); });
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(entries_of(kLater), 0U);
  EXPECT_THAT(object().lost(), IsEmpty());
}

// No way is free for its forward entry.
TEST_P(UpgradeRace, AFlowThatFindsNoRoomKeepsNoPort) {
  ASSERT_NO_FATAL_FAILURE(leave(kEstablished));
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  ASSERT_EQ(ports_in_use(), 2U);
  write(kLater, FORWARD, [](lb_flow& entry) { entry.proto = 0; });
  fill_table();
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(entries_of(kLater), 0U);
  EXPECT_EQ(ports_in_use(), 1U);
  EXPECT_THAT(object().lost(), ElementsAre(HasSubstr("1 of 4 entries find no room")));
}

INSTANTIATE_TEST_SUITE_P(Families, UpgradeRace, testing::Values(Family::IPv4, Family::IPv6),
                         [](const auto& info) { return info.param == Family::IPv4 ? "IPv4" : "IPv6"; });

}  // namespace
}  // namespace fairlead::test
