// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/flows.h"

#include <arpa/inet.h>

#include <atomic>

#include "userspace/state/abi.h"

namespace fairlead::datapath {
namespace {

constexpr int kReadTries = 16;

// A copy that no writer was at work on, or nothing.
template <class Entry>
std::optional<Entry> read_entry(Entry& entry) {
  for (int i = 0; i < kReadTries; ++i) {
    const std::uint32_t before = std::atomic_ref(entry.head.seq).load(std::memory_order_acquire);
    Entry copy = entry;
    std::atomic_thread_fence(std::memory_order_acquire);
    if (!(before & 1) && std::atomic_ref(entry.head.seq).load(std::memory_order_relaxed) == before) return copy;
  }
  return std::nullopt;
}

template <class Entry>
Flow describe(const Entry& entry, Family family, std::uint32_t now, std::uint32_t jiffies_per_second) {
  const auto address = [&](int which) {
    lb_addr addr{};
    std::copy(std::begin(entry.addr[which]), std::end(entry.addr[which]), addr.word);
    return state::from_abi(addr, static_cast<std::uint8_t>(family));
  };
  const lb_flow& head = entry.head;
  Flow flow;
  flow.proto = head.proto;
  flow.key = {address(LB_FLOW_SRC), address(LB_FLOW_DST), ntohs(head.sport), ntohs(head.dport)};
  flow.to = {address(LB_FLOW_NEW_SRC), address(LB_FLOW_NEW_DST), ntohs(head.new_sport), ntohs(head.new_dport)};
  flow.flags = head.flags;
  flow.state = head.state;
  flow.backend = head.backend;
  flow.generation = head.generation;
  flow.expires_in = seconds_of(static_cast<std::int32_t>(head.expires - now), jiffies_per_second);
  return flow;
}

template <class Set>
void visit_table(const MappedArray<Set>& sets, Family family, std::uint32_t now, std::uint32_t jiffies_per_second,
                 const std::function<void(const Flow&)>& visit) {
  for (Set& set : sets.values())
    for (auto& way : set.way)
      if (std::atomic_ref(way.head.proto).load(std::memory_order_relaxed))
        if (const auto entry = read_entry(way); entry && entry->head.proto)
          visit(describe(*entry, family, now, jiffies_per_second));
}

}  // namespace

void for_each_flow(const Object& object, Family family, const std::function<void(const Flow&)>& visit) {
  const auto asked = object.now();
  const std::uint32_t now = asked ? *asked : object.clock[0].now, second = object.clock[0].jiffies_per_second;
  if (family == Family::IPv4)
    visit_table(object.flows4, family, now, second, visit);
  else
    visit_table(object.flows6, family, now, second, visit);
}

void for_each_flow(const Object& object, const std::function<void(const Flow&)>& visit) {
  for (const Family family : {Family::IPv4, Family::IPv6})
    for_each_flow(object, family, visit);
}

std::set<std::uint32_t> buckets_in_use(const Object& object, const std::set<std::uint32_t>& buckets) {
  std::set<std::uint32_t> used;
  if (buckets.empty()) return used;
  const auto look = [&](const Flow& flow) {
    const bool leaving = flow.flags & LB_FLOW_REPLY && flow.flags & LB_FLOW_LOCAL;
    const Address& owner = leaving ? flow.key.src : flow.key.dst;
    const std::uint32_t bucket = state::filter_bucket(state::to_abi(owner), static_cast<std::uint8_t>(owner.family));
    if (buckets.contains(bucket)) used.insert(bucket);
  };
  for_each_flow(object, look);
  return used;
}

std::set<std::uint32_t> backends_in_use(const Object& object,
                                        const std::map<std::uint32_t, std::uint32_t>& generations) {
  std::set<std::uint32_t> used;
  if (generations.empty()) return used;
  const auto look = [&](const Flow& flow) {
    const auto backend = generations.find(flow.backend);
    if (backend != generations.end() && backend->second == flow.generation) used.insert(flow.backend);
  };
  for_each_flow(object, look);
  return used;
}

void Sweeper::begin_audit() {
  auditing_ = PortAudit::Time::clock::now() - audited_ >= kAuditEvery;
  if (auditing_) audit_.begin();
}

void Sweeper::end_audit() {
  if (!std::exchange(auditing_, false)) return;
  audited_ = PortAudit::Time::clock::now();
  current_.freed_ports = audit_.end(audited_);
}

Result<> Sweeper::sweep(std::uint32_t first_set) {
  if (first_set == 0 && family_ == Family::IPv4) begin_audit();
  lb_sweep request{};
  request.family = static_cast<std::uint32_t>(family_);
  request.first_set = first_set;
  if (auto swept = object_.sweep(request); !swept) return swept;
  object_.clock[0].now = request.now;
  (family_ == Family::IPv4 ? current_.live4 : current_.live6) += request.live;
  current_.freed += request.freed;
  if (auditing_) audit_.see(family_, first_set, LB_SWEEP_SETS);
  return {};
}

Result<bool> Sweeper::step(std::uint32_t sets) {
  for (std::uint32_t swept = 0; swept < sets; swept += LB_SWEEP_SETS) {
    if (auto result = sweep(next_); !result) return result.error();
    next_ += LB_SWEEP_SETS;
    if (next_ < object_.flow_sets(family_)) continue;
    next_ = 0;
    family_ = family_ == Family::IPv4 ? Family::IPv6 : Family::IPv4;
    if (family_ == Family::IPv6) continue;
    end_audit();
    current_.ended = true;
    last_ = std::exchange(current_, {});
    return true;
  }
  return false;
}

}  // namespace fairlead::datapath
