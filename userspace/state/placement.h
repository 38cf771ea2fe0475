// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "userspace/state/address_book.h"
#include "userspace/state/backend_slots.h"
#include "userspace/state/limits.h"
#include "userspace/state/placed_port.h"
#include "userspace/state/pool_space.h"
#include "userspace/state/quarantine.h"

namespace fairlead::state {

// Gives service ports a place in the maps: ids, backend slots with generations, ring and member space. The result is
// desired(); what has changed since the last look is touched().
//
// Nothing that the datapath may still follow is given away at once: a backend that leaves keeps its slot for
// kRetireAfter, so that packets in flight through an old ring still find it and an endpoint that moves from one
// EndpointSlice to another, gone in between, keeps its flows; one that leaves alive keeps it until release_backends(),
// or until another needs the room; and slots and space rest for kQuarantine before they are used again. Time is passed
// in; tick() does what has become due. Service ports that have had a backend go before newcomers, who leave some room:
// see reserve(). Not thread safe.
class Placement {
 public:
  using Time = state::Time;
  using Usage = state::Usage;
  static constexpr std::chrono::milliseconds kRetireAfter{1000};
  static constexpr std::chrono::seconds kQuarantine = Quarantine::kTime;

  // first_generation is larger than any that a flow may remember.
  Placement(const Limits& limits, std::uint32_t first_generation);

  // Takes over what an earlier daemon left, as far as it is consistent. Only on a fresh Placement. What is not taken
  // over is not in desired(); filter bits are kept as lingering ones.
  void adopt(const Tables& actual);

  // All or nothing: on an error, which names the limit, the port stays as it was; with the code kNoRing smaller rings
  // may fit. A frontend that another port has becomes this one's.
  Result<> put(const PortSpec& spec, Time now);
  void remove(const std::string& name, Time now);
  void set_node_addresses(const std::vector<NodeAddress>& addresses);
  // All that the programs are on. Until the first call those that were adopted are desired.
  void set_devices(Devices::Content devices);
  // What is held goes on resting.
  void tick(Time now, const Held& held = {});
  // When tick() has something to do next.
  std::optional<Time> next_tick() const;

  // Buckets of the filter that stay open only because flows may still need them. release() closes those that none
  // needs.
  std::vector<std::uint32_t> lingering() const { return addresses_.lingering(); }
  void release(const std::set<std::uint32_t>& buckets) { addresses_.release(buckets); }
  // Slots of backends that are there only because they may still have flows, and their generations. release_backends()
  // gives up those that have none.
  std::map<std::uint32_t, std::uint32_t> lingering_backends() const;
  void release_backends(const std::set<std::uint32_t>& slots, Time now);

  const Tables& desired() const { return desired_.tables; }
  Touched take_touched() { return std::exchange(desired_.touched, {}); }
  // Whether something was given up since the last look, so that there may be room for what was refused. usage() does
  // not tell: what one port gives up, another may have taken in the same step.
  bool take_freed() { return std::exchange(has_freed_, false); }
  std::vector<std::string> names() const;
  // The slot of a port's endpoint, if it has one.
  std::optional<std::uint32_t> slot(const std::string& name, const lb_service_key& endpoint) const;
  bool has_port(const std::string& name) const;
  // Its lb_service.id, if it has a place.
  std::optional<std::uint32_t> id(const std::string& name) const;
  // The endpoints that the port's rings lead to.
  AbiSet<lb_service_key> ring_members(const std::string& name) const;
  std::uint32_t free_backends() const { return limits_.backends - std::min(limits_.backends, backends_.used()); }
  bool has_ring_room(std::uint32_t slots, std::uint32_t share) const { return pools_.has_ring_room(slots, share); }
  bool has_resting_rings() const { return pools_.has_resting_rings(); }
  // No slot that is used, or was, has this number or a higher one.
  std::uint32_t backend_slots_end() const { return backends_.end(); }
  // Whether the port is served there.
  bool has_frontend(const std::string& name, const lb_service_key& frontend) const;
  // Whether any is, also where the address is this node's own.
  bool has_frontends(const lb_address_key& address) const { return addresses_.frontends_on(address) > 0; }
  std::uint32_t next_generation() const { return backends_.next_generation(); }
  const Limits& limits() const { return limits_; }

  Usage usage() const;

 private:
  struct Leaving {
    std::string port;
    lb_service_key endpoint;
  };
  using Endpoints = std::vector<lb_service_key>;

  Endpoints place_backends(const PortSpec& spec, PlacedPort& port);
  void forget_backends(const Endpoints& endpoints, PlacedPort& port);
  void keep_backends(const PortSpec& spec, PlacedPort& port);
  Result<> place_pools(const PortSpec& spec, PlacedPort& port, Time now);
  Members members_of(const PortSpec& spec, const PoolSpec& pool, const PlacedPort& port) const;
  void place_frontends(const PortSpec& spec, PlacedPort& port);
  void retire_backends(const PortSpec& spec, PlacedPort& port, Time now);
  void take_frontend(const lb_service_key& key);
  void remove_frontend(const lb_service_key& key);
  void give_up(const lb_service& pool, Time now);
  void forget(const lb_service& pool);
  void leave(const Leaving& leaving, PlacedPort::Slot& slot, Time due);
  bool may_lack_room(const PortSpec& spec) const;
  void make_room(Time now);
  void retire(const Leaving& leaving, Time now);
  void linger(std::uint32_t slot, const Leaving& leaving);
  void retire_backend(PlacedPort& port, const lb_service_key& endpoint, Time now);
  void retire_port(const std::string& name);

  Limits limits_;
  Desired desired_;
  PlacedPorts ports_;
  Numbers ids_;
  AddressBook addresses_{desired_};
  BackendSlots backends_;
  PoolSpace pools_;
  Quarantine quarantine_{backends_, pools_};
  std::multimap<Time, Leaving> leaving_;        // by when they are due
  std::map<std::uint32_t, Leaving> lingering_;  // by slot: due, but may have flows
  std::optional<Time> room_wanted_;             // by what was refused then
  bool has_freed_ = false;
};

}  // namespace fairlead::state
