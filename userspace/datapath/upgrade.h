// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <map>
#include <string>
#include <vector>

#include "userspace/datapath/carry_flows.h"
#include "userspace/datapath/carry_ports.h"

namespace fairlead::datapath {

// Carries over what an lbd of another build left pinned in layouts that this build does not have, a newer one's as well
// as an older one's:
//
//   find()     says what is there
//   convert()  fills this build's maps, while the other build's programs go on forwarding by theirs
//   (the caller pins the new maps, and loads what else it needs)
//   catch_up() brings the flows that were made meanwhile, so that few are left for finish(), and divides the free ports
//   (the caller puts its programs in the place of the others)
//   finish()   brings what has changed meanwhile, and removes the pins of the other layouts
//
// A process can be killed at any moment of it: a map is pinned in its new layout only when all maps are converted, and
// in its old one until finish() is through, so that the next one, of either build, finds a whole. From finish() on the
// old maps are superseded: should they stay because nobody can remove them, no build believes them any more.
class Upgrade {
 public:
  // What this build has, of one map.
  struct Target {
    const MapLayout* is = nullptr;
    CarryTarget to;
    bool adopted = false;  // it was pinned in this layout, so that its content is there
  };
  // The mapped ones among the targets.
  struct Arrays {
    const MappedArray<lb_flow4_set>* flows4;
    const MappedArray<lb_flow6_set>* flows6;
    const MappedArray<lb_backend>* backends;
    const MappedArray<lb_filter>* filter;
    SnatPorts ports;
    const struct lb_flow_keys* flow_keys;
    ExpiryOf expiry;
  };

  Upgrade() = default;  // of nothing
  // What cannot be kept, by name and count, each in words.
  using Lost = std::vector<std::string>;
  // An error is the kernel's: what is there may be good.
  static Result<Upgrade> find(const Pins& pins, Lost& lost);

  // The same map in another layout; null where there is none that can be read. Of several, which an lbd leaves that is
  // killed before finish(), the oldest: the others were made from it, and nothing but flows and counters has changed
  // since.
  const ForeignMap* other(const std::string& map) const;
  bool found() const { return !foreign_.empty(); }
  // Whether programs of the other build have flows or ports of their own.
  bool moves_flows() const { return other("lb_flow4") || other("lb_flow6") || other("lb_snat_pools"); }

  // Returns what cannot be kept: a map whose content this build does not understand is its loss, and no reason not to
  // start. An error is the kernel's, and one: the other build's programs go on, and the next start may find better
  // luck.
  Result<Lost> convert(const std::vector<Target>& targets, const Arrays& arrays, std::size_t cpus);
  void catch_up();
  // Adds what cannot be kept beyond what convert() said. May be called again, to remove what could not be removed; what
  // stays is named.
  std::vector<Error> finish(Lost& lost);

 private:
  explicit Upgrade(const Pins& pins) : pins_(pins) {}

  Result<> convert(const Target& target, const ForeignMap& from, const Arrays& arrays, std::size_t cpus);
  // Whether an older map counts still: this build's, or another build's.
  bool is_made_of_another(const ForeignMap& from, const Target& target) const;
  template <class Set>
  Result<> convert_flows(const Target& target, const ForeignMap& from, const MappedArray<Set>& sets,
                         const Arrays& arrays, std::list<CarryFlows<Set>>& carries);
  void convert_ports(const Target& target, const Arrays& arrays);
  void finish_flows();
  void tell(const ForeignMap& from, const Carried& carried);
  template <class Set>
  void tell_news(CarryFlows<Set>& carry);

  std::optional<Pins> pins_;
  std::list<ForeignMap> foreign_;  // the oldest last: of flows that several have, its word is the last
  std::list<CarryCounters> counters_;
  std::list<CarryFlows<lb_flow4_set>> flows4_;
  std::list<CarryFlows<lb_flow6_set>> flows6_;
  std::list<CarryPorts> ports_;
  Lost lost_;  // not yet returned
};

}  // namespace fairlead::datapath
