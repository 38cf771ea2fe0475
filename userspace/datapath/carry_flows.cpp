// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/carry_flows.h"

#include <arpa/inet.h>

#include <chrono>
#include <thread>

namespace fairlead::datapath {
namespace {

constexpr int kTries = 16;
constexpr std::chrono::milliseconds kOrphaned{20};

std::uint32_t load(const std::byte* word) {
  return std::atomic_ref(*reinterpret_cast<std::uint32_t*>(const_cast<std::byte*>(word))).load();
}

}  // namespace

PortBit port_bit(const lb_flow& reply, const __be32* backend, int words, std::uint16_t base) {
  const std::uint32_t bit = static_cast<std::uint16_t>(ntohs(reply.dport) - base);
  return {lb_snat_pool_of(backend, words, reply.sport, reply.proto), bit / 64 % LB_SNAT_POOL_WORDS, 1ull << (bit % 64)};
}

template <class Set>
CarryFlows<Set>::CarryFlows(const ForeignMap& from, const Record& value, Table table, SnatPorts ports,
                            const ExpiryOf& expiry)
    : from_(&from),
      plan_(part_of(from.layout.value, "way[0]."), part_of(value, "way[0].")),
      table_(table),
      ports_(ports),
      expiry_(expiry) {
}

template <class Set>
Result<CarryFlows<Set>> CarryFlows<Set>::make(const ForeignMap& from, const Record& value, Table table, SnatPorts ports,
                                              const ExpiryOf& expiry) {
  CarryFlows carry(from, value, table, ports, expiry);
  if (auto opened = carry.open(); !opened) return opened.error();
  return carry;
}

template <class Set>
Result<> CarryFlows<Set>::open() {
  const Record& value = from_->layout.value;
  const auto field = [&](std::uint32_t way, const std::string& name) {
    return value.find("way[" + std::to_string(way) + "]." + name);
  };
  const Field* seq = field(0, "head.seq");
  const Field* proto = field(0, "head.proto");
  if (!seq || seq->size != 4 || seq->offset % 4 || !proto)
    return Error{"its entries have no head.seq and head.proto", EINVAL};
  while (field(ways_, "head.seq"))
    ++ways_;
  knows_confirmed_ = field(0, "head.timeout");
  seq_ = seq->offset;
  proto_ = proto->offset;
  way_size_ = ways_ > 1 ? field(1, "head.seq")->offset - seq_ : value.size;
  set_size_ = (value.size + 7) / 8 * 8;
  if (way_size_ % 4) return Error{"its entries are not aligned", EINVAL};
  if (std::uint64_t{way_size_} * (ways_ - 1) + part_of(value, "way[0].").fields.back().end() > value.size)
    return Error{"its entries reach beyond their set", EINVAL};
  auto memory =
      MappedArray<std::uint64_t>::map(from_->fd.get(), set_size_ / 8 * from_->info.max_entries, from_->label());
  if (!memory) return memory.error();
  memory_ = std::move(*memory);
  return {};
}

template <class Set>
std::optional<typename CarryFlows<Set>::Entry> CarryFlows<Set>::read(std::size_t index) {
  const std::size_t begin = index / ways_ * set_size_ + index % ways_ * way_size_;
  const std::byte* entry = std::as_bytes(memory_.values()).data() + begin;
  if (entry[proto_] == std::byte{0}) return std::nullopt;
  // What the plan reads: fields of way 0, wherever that begins.
  const std::size_t size = from_->layout.value.size - index % ways_ * way_size_;
  for (int i = 0; i < kTries; ++i) {
    const std::uint32_t before = load(entry + seq_);
    std::vector<std::byte> copy(entry, entry + size);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (before & 1 || load(entry + seq_) != before) continue;
    Entry converted{};
    if (copy[proto_] == std::byte{0}) return std::nullopt;
    if (plan_.apply(copy, std::as_writable_bytes(std::span(&converted, 1)))) {
      understand(converted);
      return converted;
    }
    ++carried_.unfit;
    return std::nullopt;
  }
  all_read_ = false;
  return std::nullopt;
}

// What its fields mean to this build. To one without timeouts in its entries an answered flow was as good as a
// confirmed one, and where this build has a connection's numbers there was nothing.
template <class Set>
void CarryFlows<Set>::understand(Entry& entry) const {
  lb_flow& head = entry.head;
  head.expires = expiry_.convert(head.expires);
  if (knows_confirmed_) return;
  if (head.state & LB_FLOW_ANSWERED) head.state |= LB_FLOW_CONFIRMED;
  if (!(head.flags & LB_FLOW_REPLY)) head.hop = {};
  head.timeout = lb_flow_timeout(head.proto, head.state);
}

template <class Set>
void CarryFlows<Set>::pass(bool replies) {
  carried_.unfit = 0;  // each pass meets the same
  for (std::size_t i = 0; i < from_->info.max_entries * std::size_t{ways_}; ++i) {
    const auto entry = read(i);
    if (!entry || !(entry->head.flags & LB_FLOW_REPLY) == replies) continue;
    if (passes_copies_by_ && Table::is_copy(entry->head.seq)) continue;
    ++carried_.entries;
    put(*entry, {static_cast<std::uint32_t>(i / ways_), static_cast<std::uint32_t>(i % ways_)});
  }
}

// Again where a program has written meanwhile what was looked at.
template <class Set>
void CarryFlows<Set>::put(const Entry& entry, const At& before) {
  Stored stored = Stored::AGAIN;
  for (int i = 0; i < kTries && stored == Stored::AGAIN; ++i)
    stored = try_put(entry, before);
  if (stored == Stored::AGAIN) all_read_ = false;
  if (stored == Stored::NO_ROOM) {
    ++carried_.no_room;
    free_port(entry);
  }
}

template <class Set>
typename CarryFlows<Set>::Stored CarryFlows<Set>::try_put(const Entry& entry, const At& before) {
  const Entry pair = Table::pair_of(entry);
  const Place mine = table_.find(entry), other = table_.find(pair);
  if (is_contested(entry, mine) || is_contested(pair, other)) return give_up(entry, mine);
  if (!(entry.head.flags & LB_FLOW_REPLY))
    if (const Stored brought = bring_reply(pair, other); brought != Stored::YES) return brought;
  const Stored stored = store(entry, mine, before);
  if (stored == Stored::NO_ROOM && has_port(pair)) return drop_reply(pair);
  return stored;
}

// The reply entry of a flow whose forward entry finds no room: its port would be nobody's until it expires.
template <class Set>
typename CarryFlows<Set>::Stored CarryFlows<Set>::drop_reply(const Entry& reply) {
  const Place at = table_.find(reply);
  if (at && Table::same_flow(table_[at->at], reply) && !take_out(table_[at->at], at->seq)) return Stored::AGAIN;
  free_port(reply);
  return Stored::NO_ROOM;
}

// A forward entry without its reply entry is a connection that is silent for good. One that was passed by, because it
// came after the first step, is made by its forward entry, which has been read later.
template <class Set>
typename CarryFlows<Set>::Stored CarryFlows<Set>::bring_reply(const Entry& reply, const Place& at) {
  if (!at || !Table::same_flow(table_[at->at], reply)) return store(reply, at, kAnywhere);
  seen_[table_.index(at->at)] = true;
  return Stored::YES;
}

template <class Set>
typename CarryFlows<Set>::Stored CarryFlows<Set>::store(const Entry& entry, const Place& at, const At& before) {
  if (at) return Table::same_flow(table_[at->at], entry) ? update(entry, *at) : displace(entry, *at);
  const auto inserted = table_.insert(entry, before);
  if (!inserted) return Stored::NO_ROOM;
  seen_[table_.index(*inserted)] = true;
  if (has_port(entry)) word_of(entry).fetch_or(bit_of(entry).mask);
  return Stored::YES;
}

template <class Set>
typename CarryFlows<Set>::Stored CarryFlows<Set>::update(const Entry& entry, const typename Table::Found& found) {
  Entry& mine = table_[found.at];
  seen_[table_.index(found.at)] = true;
  bool done = true;
  if (Table::is_copy(found.seq)) {
    if (mine.head.state != entry.head.state || mine.head.expires != entry.head.expires)
      done = table_.overwrite(mine, found.seq, entry);
  } else if (entry.head.state & ~mine.head.state) {
    done = table_.add_state(mine, found.seq, entry);
  }
  return done ? Stored::YES : Stored::AGAIN;
}

// In place of another flow, whose other entry goes as well: its packets would be this one's.
template <class Set>
typename CarryFlows<Set>::Stored CarryFlows<Set>::displace(const Entry& entry, const typename Table::Found& found) {
  Entry& mine = table_[found.at];
  const Entry pair = Table::pair_of(mine);
  if (!table_.overwrite(mine, found.seq, entry)) return Stored::AGAIN;
  seen_[table_.index(found.at)] = true;
  for (int i = 0; i < kTries; ++i) {
    const Place left = table_.find(pair);
    if (!left || !Table::same_flow(table_[left->at], pair) || take_out(table_[left->at], left->seq)) break;
  }
  return Stored::YES;
}

// Whether another flow has the key and keeps it: one that a program of this build has written, and that is worth as
// much. A copy is only older news.
template <class Set>
bool CarryFlows<Set>::is_contested(const Entry& entry, const Place& at) const {
  if (!at || Table::is_copy(at->seq)) return false;
  const Entry& there = table_[at->at];
  return !Table::same_flow(there, entry) && lb_flow_worth(there.head.state) >= lb_flow_worth(entry.head.state);
}

// It has lost one of its keys, so the entry under the other must not stay: a client that is told begins again.
template <class Set>
typename CarryFlows<Set>::Stored CarryFlows<Set>::give_up(const Entry& entry, const Place& at) {
  if (!at || !Table::same_flow(table_[at->at], entry))
    free_port(entry);
  else if (!take_out(table_[at->at], at->seq))
    return Stored::AGAIN;
  // What is worth less a program may take the port of at any time, and may have.
  const bool lasts = lb_flow_worth(entry.head.state) == LB_WORTH_CONFIRMED;
  if (!(entry.head.flags & LB_FLOW_REPLY) && lasts) ++carried_.taken;
  return Stored::YES;
}

// Of a flow that has no entry here. The other build's programs go on with it until the end, and then nobody.
template <class Set>
void CarryFlows<Set>::free_port(const Entry& entry) const {
  if (finishing_ && ports_.shared && has_port(entry)) word_of(entry).fetch_and(~bit_of(entry).mask);
}

// With its port, which programs of the other build give back themselves where the pools are theirs, too.
template <class Set>
bool CarryFlows<Set>::take_out(Entry& entry, std::uint32_t seq) const {
  const Entry was = entry;
  if (!table_.remove(entry, seq)) return false;
  if (!ports_.shared && has_port(was)) word_of(was).fetch_and(~bit_of(was).mask);
  return true;
}

template <class Set>
PortBit CarryFlows<Set>::bit_of(const Entry& reply) const {
  return port_bit(reply.head, reply.addr[LB_FLOW_SRC], Table::kWords, ports_.base);
}

template <class Set>
std::atomic_ref<__u64> CarryFlows<Set>::word_of(const Entry& reply) const {
  const PortBit bit = bit_of(reply);
  return std::atomic_ref((*ports_.pools)[bit.pool].used[bit.word]);
}

template <class Set>
void CarryFlows<Set>::carry_replies() {
  carried_ = {};
  all_read_ = true;
  seen_.assign(table_.entries(), false);
  pass(true);
}

template <class Set>
void CarryFlows<Set>::carry_rest() {
  pass(false);
  carried_.entries += carried_.unfit;
}

template <class Set>
void CarryFlows<Set>::finish_replies() {
  finishing_ = true;
  carry_replies();
}

template <class Set>
void CarryFlows<Set>::finish_rest(bool alone) {
  carry_rest();
  if (alone && all_read_ && !passes_copies_by_) remove_unseen();
}

template <class Set>
std::optional<Carried> CarryFlows<Set>::news() {
  if (carried_.lost() <= told_) return std::nullopt;
  told_ = carried_.lost();
  return carried_;
}

template <class Set>
void CarryFlows<Set>::remove_unseen() {
  for (std::size_t i = 0; i < table_.entries(); ++i) {
    Entry& entry = table_[i];
    const std::uint32_t seq = Table::seq_of(entry);
    if (entry.head.proto && Table::is_copy(seq) && !seen_[i]) take_out(entry, seq);
  }
}

template <class Set>
void CarryFlows<Set>::release_orphans() {
  std::map<std::size_t, std::uint32_t> held;
  for (std::size_t i = 0; i < table_.entries(); ++i)
    if (const std::uint32_t seq = Table::seq_of(table_[i]); seq & 1) held[i] = seq;
  if (held.empty()) return;
  std::this_thread::sleep_for(kOrphaned);
  for (const auto& [index, seq] : held)
    if (Table::seq_of(table_[index]) == seq) table_.release(table_[index], seq);
}

template class CarryFlows<lb_flow4_set>;
template class CarryFlows<lb_flow6_set>;

}  // namespace fairlead::datapath
