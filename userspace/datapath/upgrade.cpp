// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/upgrade.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <utility>

namespace fairlead::datapath {
namespace {

const MapLayout* known(const std::string& map) {
  const auto layouts = map_layouts();
  const auto it = std::find_if(layouts.begin(), layouts.end(), [&](const MapLayout& one) { return map == one.map; });
  return it == layouts.end() ? nullptr : &*it;
}

std::string count_entries(const std::string& path) {
  const auto map = open_map(path);
  if (!map) return "";
  const auto info = info_of(map->get());
  if (!info) return "";
  if (info->type != BPF_MAP_TYPE_HASH && info->type != BPF_MAP_TYPE_LRU_HASH)
    return " (" + std::to_string(info->max_entries) + " entries)";
  std::size_t count = 0;
  const auto counted = each_key(map->get(), *info, [&](const auto&) -> Result<> {
    ++count;
    return {};
  });
  if (!counted) return "";
  return " (" + std::to_string(count) + " entries)";
}

// If it is what its name says.
Result<> remove_pin(const std::string& path, const std::string& name) {
  const auto removed = remove_map(path, name);
  return removed ? removed : Error{"remove " + removed.error().message, removed.error().code};
}

bool is_ours(const Pins::Map& pinned) {
  const MapLayout* ours = known(pinned.name);
  return ours && ours->number == pinned.layout;
}

using Errors = std::vector<Error>;

void note(Errors& errors, const Result<>& done) {
  if (!done) errors.push_back(done.error());
}

// Its maps, and itself where nothing else is left in it: links are not ours to remove here.
void remove_earlier(const std::string& directory, Errors& left) {
  namespace fs = std::filesystem;
  const auto maps = earlier_maps(directory);
  if (!maps) return left.push_back(maps.error());
  for (const std::string& map : *maps)
    note(left, remove_pin(fs::path(directory) / map, map_name(map)));
  std::error_code error;
  const bool had_links = fs::remove(directory + "/links", error);
  if (had_links || !maps->empty()) fs::remove(directory, error);
}

// One that cannot be removed keeps no other. The map before its description: what is left of a pair is then only a
// text, or a map that is not believed.
void remove_others(const Pins& pins, Errors& left) {
  const auto described = pins.described(), pinned = pins.pinned();
  const auto earlier = pins.earlier();
  if (!described) return left.push_back(described.error());
  if (!pinned) return left.push_back(pinned.error());
  if (!earlier) return left.push_back(earlier.error());
  for (const Pins::Map& one : *described)
    if (!is_ours(one)) note(left, supersede_layout(pins.layout(one.name, one.layout)));
  for (const Pins::Map& one : *pinned)
    if (!is_ours(one)) note(left, remove_pin(pins.map(one.name, one.layout), one.name));
  for (const Pins::Map& one : *described)
    if (!is_ours(one)) note(left, remove_pin(pins.layout(one.name, one.layout), kDescription));
  for (const std::string& directory : *earlier)
    remove_earlier(directory, left);
}

void open_for(lb_filter& filter, const __be32* backend, int words) {
  filter.classes[lb_address_hash(backend, words) & (LB_FILTER_BUCKETS - 1)] |= LB_CLASS_BACKEND;
}

template <class Set>
void open_for_backends(lb_filter& filter, const MappedArray<Set>& sets) {
  for (const Set& set : sets.values())
    for (const auto& entry : set.way)
      if (entry.head.proto && entry.head.flags & LB_FLOW_REPLY)
        open_for(filter, entry.addr[LB_FLOW_SRC], FlowTable<Set>::kWords);
}

// For all that comes in, until a sweep has shown what is needed; of what goes out for backends alone, which are known:
// during the upgrade some of their segments are dropped, and others' must not be.
void open_filter(const Upgrade::Arrays& arrays) {
  lb_filter& filter = (*arrays.filter)[0];
  std::ranges::fill(filter.classes, LB_CLASS_VIP | LB_CLASS_NODE);
  for (const lb_backend& backend : arrays.backends->values())
    if (backend.family) open_for(filter, backend.addr.word, backend.family == LB_AF_INET ? 1 : 4);
  open_for_backends(filter, *arrays.flows4);
  open_for_backends(filter, *arrays.flows6);
}

Result<> note_unknown(const Pins& pins, Upgrade::Lost& lost) {
  const auto earlier = pins.earlier();
  if (!earlier) return earlier.error();
  for (const std::string& directory : *earlier) {
    const auto maps = earlier_maps(directory);
    if (!maps) return maps.error();
    if (!directory.ends_with("/v1") && !maps->empty())
      lost.push_back(directory + ": maps of an lbd that this one does not know");
  }
  return {};
}

}  // namespace

Result<Upgrade> Upgrade::find(const Pins& pins, Lost& lost) {
  Upgrade upgrade(pins);
  const auto all = pins.pinned();
  if (!all) return all.error();
  for (const Pins::Map& pinned : *all) {
    if (is_ours(pinned)) continue;
    const MapLayout* ours = known(pinned.name);
    auto map = ours ? open_foreign(pins, *ours, pinned.layout) : Error{"this lbd has no such map", ENOENT};
    if (map)
      upgrade.foreign_.push_back(std::move(*map));
    else if (!tells_of_content(map.error()))
      return Error{pinned.name + "-v" + std::to_string(pinned.layout) + ": " + map.error().message, map.error().code};
    else if (map.error().code != ESTALE && (!ours || !is_derived(ours->kept)))
      lost.push_back(pinned.name + "-v" + std::to_string(pinned.layout) +
                     count_entries(pins.map(pinned.name, pinned.layout)) + ": " + map.error().message);
  }
  if (auto known = note_unknown(pins, lost); !known) return known.error();
  // The kernel numbers maps in the order in which they are made.
  upgrade.foreign_.sort([](const ForeignMap& a, const ForeignMap& b) { return a.info.id > b.info.id; });
  return upgrade;
}

const ForeignMap* Upgrade::other(const std::string& map) const {
  const auto it = std::find_if(foreign_.rbegin(), foreign_.rend(), [&](const auto& one) { return one.name == map; });
  return it == foreign_.rend() ? nullptr : &*it;
}

void Upgrade::tell(const ForeignMap& from, const Carried& carried) {
  const auto of = [&](std::uint64_t count) {
    return from.label() + ": " + std::to_string(count) + " of " + std::to_string(carried.entries) + " entries";
  };
  if (carried.unfit) lost_.push_back(of(carried.unfit) + " hold what the other layout has no room for");
  if (carried.no_room) lost_.push_back(of(carried.no_room) + " find no room");
  if (carried.taken) lost_.push_back(of(carried.taken) + " have answers that by now are another connection's");
}

template <class Set>
void Upgrade::tell_news(CarryFlows<Set>& carry) {
  if (const auto news = carry.news()) tell(carry.from(), *news);
}

bool Upgrade::is_made_of_another(const ForeignMap& from, const Target& target) const {
  if (&from != other(from.name)) return true;
  const auto ours = info_of(target.to.fd);
  return target.adopted && ours && ours->id < from.info.id;
}

template <class Set>
Result<> Upgrade::convert_flows(const Target& target, const ForeignMap& from, const MappedArray<Set>& sets,
                                const Arrays& arrays, std::list<CarryFlows<Set>>& carries) {
  auto carry = CarryFlows<Set>::make(from, target.to.layout.value, FlowTable<Set>(sets, arrays.flow_keys), arrays.ports,
                                     arrays.expiry);
  if (!carry) return carry.error();
  if (is_made_of_another(from, target)) carry->pass_copies_by();
  // It was being filled before.
  if (target.adopted) carry->release_orphans();
  carry->carry_replies();
  carry->carry_rest();
  tell_news(*carry);
  carries.push_back(std::move(*carry));
  return {};
}

Result<> Upgrade::convert(const Target& target, const ForeignMap& from, const Arrays& arrays, std::size_t cpus) {
  switch (target.is->kept) {
    case Kept::ENTRIES: {
      const auto carried = carry_entries(from, target.to);
      if (!carried) return carried.error();
      tell(from, *carried);
      return {};
    }
    case Kept::COUNTERS: {
      const auto carried = counters_.emplace_back(from, target.to, cpus).carry();
      if (!carried) return carried.error();
      tell(from, *carried);
      return {};
    }
    case Kept::FLOWS:
      return from.name == "lb_flow4" ? convert_flows(target, from, *arrays.flows4, arrays, flows4_)
                                     : convert_flows(target, from, *arrays.flows6, arrays, flows6_);
    case Kept::FILTER:
    case Kept::PORTS:
    case Kept::LOCKS:
      return {};
  }
  return {};
}

void Upgrade::convert_ports(const Target& target, const Arrays& arrays) {
  CarryPorts& carry = ports_.emplace_back(arrays.ports, target.adopted, *arrays.flows4, *arrays.flows6);
  const auto builds = std::ranges::count(foreign_, target.is->map, &ForeignMap::name);
  if (const ForeignMap* theirs = other(target.is->map)) carry.know(*theirs, builds == 1);
  carry.carry();
}

Result<Upgrade::Lost> Upgrade::convert(const std::vector<Target>& targets, const Arrays& arrays, std::size_t cpus) {
  for (const Target& target : targets)
    for (const ForeignMap& from : foreign_) {
      if (from.name != target.is->map) continue;
      // What stands still was converted before its map was pinned. Flows go on, by the programs of any of them.
      if (target.is->kept != Kept::FLOWS && (target.adopted || &from != other(from.name))) continue;
      const auto converted = convert(target, from, arrays, cpus);
      if (converted) continue;
      if (!tells_of_content(converted.error()))
        return Error{from.label() + ": " + converted.error().message, converted.error().code};
      lost_.push_back(from.label() + ": " + converted.error().message);
    }
  for (const Target& target : targets) {
    if (target.is->kept == Kept::FILTER && !target.adopted) open_filter(arrays);
    if (target.is->kept == Kept::PORTS && !arrays.ports.shared) convert_ports(target, arrays);
  }
  return std::exchange(lost_, {});
}

void Upgrade::catch_up() {
  for (auto& carry : flows4_)
    carry.carry_replies();
  for (auto& carry : flows6_)
    carry.carry_replies();
  for (auto& carry : flows4_)
    carry.carry_rest();
  for (auto& carry : flows6_)
    carry.carry_rest();
  for (auto& carry : ports_) {
    carry.carry();
    carry.divide();
  }
}

// Replies of both families first: until a flow's is here, its backend had better not speak.
void Upgrade::finish_flows() {
  for (auto& carry : flows4_)
    carry.finish_replies();
  for (auto& carry : flows6_)
    carry.finish_replies();
  for (auto& carry : flows4_)
    carry.finish_rest(flows4_.size() == 1);
  for (auto& carry : flows6_)
    carry.finish_rest(flows6_.size() == 1);
  for (auto& carry : flows4_)
    tell_news(carry);
  for (auto& carry : flows6_)
    tell_news(carry);
}

std::vector<Error> Upgrade::finish(Lost& lost) {
  if (!pins_) return {};
  Errors left;
  finish_flows();
  for (auto& carry : ports_)
    carry.finish();
  for (auto& carry : counters_)
    if (const auto grown = carry.carry_growth(); !grown) lost_.push_back("counters: " + grown.error().message);
  std::ranges::move(lost_, std::back_inserter(lost));
  // Nothing is carried twice.
  const Pins pins = *pins_;
  *this = Upgrade(pins);
  remove_others(pins, left);
  return left;
}

}  // namespace fairlead::datapath
