// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/packet/rows.h"

#include <netinet/tcp.h>

#include <cstring>

#include "tests/bench/packet/die.h"
#include "tests/bench/packet/node.h"
#include "userspace/datapath/counters.h"

namespace fairlead::bench {
namespace {

constexpr std::uint32_t kMany = 100000;
constexpr std::uint32_t kHot = 64000;
// Of a sparse table, so that it stays one over all rounds.
constexpr std::uint32_t kFew = 3200;
// Seconds after which an entry's life is written down anew.
constexpr std::uint32_t kRefreshAfter = 61;

// The row measured what its name says: every packet had the row's verdict.
void check_verdict(const std::string& name, const datapath::Object& object, const datapath::Verdicts& before,
                   lb_hook hook, lb_verdict verdict, std::uint64_t packets) {
  const auto after = datapath::read_verdicts(object);
  if (after[hook][verdict] - before[hook][verdict] == packets) return;
  std::string seen;
  for (const datapath::VerdictInfo& info : datapath::verdict_infos())
    if (const auto n = after[hook][info.verdict] - before[hook][info.verdict])
      seen += std::string(" ") + info.name + "=" + std::to_string(n);
  die("row '" + name + "': " + std::to_string(packets) + " packets, verdicts:" + seen);
}

// What the rows of a family are made with.
struct Maker {
  std::vector<Row>& rows;
  Runner& runner;
  Family family;

  void add(const std::string& name, const std::string& base, const std::string& floor, Plan plan,
           std::uint32_t packets) {
    plan.family = family;
    rows.push_back(
        {name, family, base, floor, [&runner = runner, plan, packets] { return runner.run(plan, packets); }, {}});
  }

  // With the verdict that every packet is to have. age: seconds that pass before each round.
  void add(const std::string& name, const std::string& floor, datapath::Object& object, Plan plan, lb_verdict verdict,
           std::uint32_t packets, std::uint32_t age = 0) {
    plan.family = family;
    if (plan.program < 0) plan.program = object.xdp_program();
    packets = Runner::whole_batches(packets);
    const auto measure = [&runner = runner, name, &object, plan, verdict, packets, age] {
      if (age) pass(object, age);
      const auto before = datapath::read_verdicts(object);
      const double gross = runner.run(plan, packets);
      check_verdict(name, object, before, plan.hook, verdict, packets);
      return gross;
    };
    rows.push_back({name, family, plan.hook == LB_HOOK_XDP ? "empty" : "empty-tc", floor, measure, {}});
  }

  // Connections whose three packets have all been seen. here: the backend's come from this node.
  void establish(datapath::Object& object, const std::vector<bench_tuple>& forward, bool here) {
    const auto all = static_cast<std::uint32_t>(forward.size());
    runner.run({object.xdp_program(), LB_HOOK_XDP, family, TH_SYN, forward}, all);
    const auto answers = replies(object, forward, family);
    if (here)
      runner.run({object.tc_egress_program(), LB_HOOK_TC_EGRESS, family, TH_SYN | TH_ACK, answers}, all);
    else
      runner.run({object.xdp_program(), LB_HOOK_XDP, family, TH_SYN | TH_ACK, answers}, all);
    runner.run({object.xdp_program(), LB_HOOK_XDP, family, TH_ACK, forward}, all);
  }
};

Plan to(std::vector<bench_tuple> tuples, std::uint8_t flags = TH_ACK) {
  Plan plan;
  plan.tuples = std::move(tuples);
  plan.tcp_flags = flags;
  return plan;
}

Plan tc(int program, lb_hook hook, std::vector<bench_tuple> tuples) {
  Plan plan = to(std::move(tuples));
  plan.program = program;
  plan.hook = hook;
  return plan;
}

// Known flows to backends here and elsewhere, and the replies of the latter.
void add_hits(Maker& maker, const Objects& objects, const std::string& suffix, std::uint32_t flows) {
  const Addresses& at = addresses(maker.family);
  const auto local = clients(at.vip_local, flows), remote = clients(at.vip_remote, flows);
  const std::string floor = "floor" + suffix;
  const std::uint32_t packets = flows == 1 ? kHot : flows;
  maker.establish(*objects.local, local, true);
  maker.establish(*objects.remote, remote, false);
  maker.add("hit-local" + suffix, floor, *objects.local, to(local), LB_VERDICT_LOCAL_HIT, packets);
  maker.add("hit-snat" + suffix, floor, *objects.remote, to(remote), LB_VERDICT_REMOTE_HIT, packets);
  maker.add("hit-reply" + suffix, floor, *objects.remote, to(replies(*objects.remote, remote, maker.family)),
            LB_VERDICT_REMOTE_REPLY, packets);
}

void add_new(Maker& maker, const std::string& name, datapath::Object& object, const Address& vip, lb_verdict verdict,
             std::uint32_t packets) {
  Plan plan = to(clients(vip, 1), TH_SYN);
  plan.fresh = true;
  maker.add(name, "floor-new-full", object, plan, verdict, packets);
}

// Until newcomers push others out.
void fill(Runner& runner, const datapath::Object& object, Family family) {
  for (const Address& vip : {addresses(family).vip_local, addresses(family).vip_remote}) {
    Plan plan{object.xdp_program(), LB_HOOK_XDP, family, TH_SYN, clients(vip, 1)};
    plan.fresh = true;
    runner.run(plan, object.flow_sets(family) * LB_FLOW_WAYS / 2);
  }
}

void add_tc_hits(Maker& maker, const Objects& objects) {
  const Addresses& at = addresses(maker.family);
  const auto local = clients(at.vip_local, 1), remote = clients(at.vip_remote, 1);
  const auto add = [&](const std::string& name, datapath::Object& object, lb_hook hook, std::vector<bench_tuple> tuples,
                       lb_verdict verdict) {
    const int program = hook == LB_HOOK_TC_EGRESS ? object.tc_egress_program() : object.tc_ingress_program();
    maker.add(name, "floor", object, tc(program, hook, std::move(tuples)), verdict, kHot);
  };
  add("tc-hit-local", *objects.local, LB_HOOK_TC_INGRESS, local, LB_VERDICT_LOCAL_HIT);
  add("tc-hit-snat", *objects.remote, LB_HOOK_TC_INGRESS, remote, LB_VERDICT_REMOTE_HIT);
  add("tc-hit-reply-local", *objects.local, LB_HOOK_TC_EGRESS, replies(*objects.local, local, maker.family),
      LB_VERDICT_LOCAL_REPLY);
}

}  // namespace

void add_floor_rows(std::vector<Row>& rows, Runner& runner, Family family) {
  Maker maker{rows, runner, family};
  const Address& vip = addresses(family).vip_local;
  const auto one = clients(vip, 1), many = clients(vip, kMany);
  runner.run({runner.floor_new(family), LB_HOOK_XDP, family, TH_ACK, many}, kMany);
  const auto add = [&](const std::string& name, const std::string& base, int program, Plan plan) {
    plan.program = program;
    const auto packets = static_cast<std::uint32_t>(plan.tuples.size() > 1 ? kMany : kHot);
    maker.add(name, base, base.empty() ? "" : "floor", plan, packets);
  };
  add("empty", "", runner.empty(LB_HOOK_XDP), to(one));
  add("empty-tc", "", runner.empty(LB_HOOK_TC_INGRESS), tc(-1, LB_HOOK_TC_INGRESS, one));
  Plan alone = to(many), fresh = to(one);
  alone.alone = fresh.fresh = true;
  Plan empty_alone = to(one);
  empty_alone.alone = true;
  add("empty-alone", "", runner.empty(LB_HOOK_XDP), empty_alone);
  add("floor", "empty", runner.floor(family), to(one));
  add("floor-100k", "empty", runner.floor(family), to(many));
  add("floor-100k-alone", "empty-alone", runner.floor(family), alone);
  add("floor-new-full", "empty", runner.floor_new(family), fresh);
}

void add_packet_rows(std::vector<Row>& rows, Runner& runner, const Objects& objects, Family family) {
  Maker maker{rows, runner, family};
  const Addresses& at = addresses(family);
  const auto some = clients(at.vip_local, 1).front();
  bench_tuple elsewhere = some;
  std::memcpy(elsewhere.dst, at.other.bytes.data(), 16);
  maker.add("not-ours", "floor", *objects.local, to({elsewhere}), LB_VERDICT_NOT_OURS, kHot);
  add_hits(maker, objects, "", 1);
  add_hits(maker, objects, "-100k", kMany);
  maker.add("refresh-100k", "floor-100k", *objects.local, to(clients(at.vip_local, kMany)), LB_VERDICT_LOCAL_HIT, kMany,
            kRefreshAfter);
  fill(runner, *objects.full, family);
  add_new(maker, "new-local-full", *objects.full, at.vip_local, LB_VERDICT_LOCAL_NEW, kMany);
  add_new(maker, "new-snat-full", *objects.full, at.vip_remote, LB_VERDICT_REMOTE_NEW, kMany);
  add_new(maker, "new-local-sparse", *objects.sparse, at.vip_local, LB_VERDICT_LOCAL_NEW, kFew);
  add_new(maker, "new-snat-sparse", *objects.sparse, at.vip_remote, LB_VERDICT_REMOTE_NEW, kFew);
  add_tc_hits(maker, objects);
}

void add_traffic_rows(std::vector<Row>& rows, Runner& runner, Stream& stream, const Objects& objects, Family family) {
  struct Traffic {
    const char* name;
    lb_hook hook;
    std::size_t bytes;
    std::uint32_t writes;
  };
  for (const Traffic& one : {Traffic{"tc-egress-not-ours-tcp", LB_HOOK_TC_EGRESS, 100, 20000},
                             {"tc-egress-not-ours-bulk", LB_HOOK_TC_EGRESS, 1u << 20, 500},
                             {"tc-ingress-not-ours-tcp", LB_HOOK_TC_INGRESS, 100, 20000}}) {
    const auto add = [&](const std::string& name, const std::string& base, int program) {
      rows.push_back(
          {name,
           family,
           base,
           base.empty() ? "" : "floor",
           [&stream, one, program, family] { return stream.run(program, one.hook, family, one.bytes, one.writes); },
           {}});
    };
    const std::string base = std::string("empty-") + one.name;
    add(base, "", runner.empty(one.hook));
    add(one.name, base,
        one.hook == LB_HOOK_TC_EGRESS ? objects.local->tc_egress_program() : objects.local->tc_ingress_program());
  }
}

}  // namespace fairlead::bench
