// SPDX-License-Identifier: Apache-2.0
#include "userspace/compile/fit.h"

#include <algorithm>
#include <bit>

#include "userspace/compile/maglev.h"
#include "userspace/compile/ring.h"

namespace fairlead::compile {
namespace {

using state::PortSpec;

std::uint32_t slots_of(const state::PoolSpec& pool) {
  return pool.ring ? static_cast<std::uint32_t>(pool.ring->size()) : 0;
}

std::uint32_t largest_ring(const PortSpec& spec) {
  std::uint32_t largest = 0;
  for (const state::PoolSpec& pool : spec.pools)
    largest = std::max(largest, slots_of(pool));
  return largest;
}

// With rings of so many slots, as `slots` says of a pool.
template <class Slots>
PortSpec with_rings(PortSpec spec, const Slots& slots) {
  for (state::PoolSpec& pool : spec.pools)
    if (const std::uint32_t wanted = pool.ring ? slots(pool) : 0; wanted != slots_of(pool))
      pool.ring = make_ring(spec, pool.members, wanted);
  return spec;
}

// A ring has a slot for each of its members.
PortSpec with_smaller_rings(const PortSpec& spec, std::uint32_t most) {
  return with_rings(spec, [most](const state::PoolSpec& pool) {
    const auto least = static_cast<std::uint32_t>(std::bit_ceil(pool.members.size()));
    return std::min(slots_of(pool), std::max({most, least, LB_RING_MIN_SLOTS}));
  });
}

// As large as those that clients outside have.
PortSpec with_full_rings(const PortSpec& spec) {
  return with_rings(spec, [](const state::PoolSpec& pool) { return ring_slots(pool.members.size()); });
}

// What the smallest of those rings that are smaller than they should be lacks of the next size.
RingGrowth ring_growth(const PortSpec& wanted, const PortSpec& served) {
  RingGrowth growth;
  for (std::size_t i = 0; i < wanted.pools.size(); ++i) {
    const std::uint32_t has = slots_of(served.pools[i]);
    if (has < slots_of(wanted.pools[i]) && (!growth.slots || has < growth.slots))
      growth = {has, state::ring_share(std::size_t{has} * 2, served.pools[i].members.size())};
  }
  return growth;
}

class Fitting {
 public:
  Fitting(state::Placement& placement, const PortSpec& wanted, state::Time now)
      : placement_(placement), wanted_(wanted), now_(now) {}

  Fit fit() {
    if (put(wanted_)) return {wanted_, {}, {}};
    Fit fit;
    fit.lacking = why_;
    fit.served = put_with_other_rings(wanted_);
    if (fit.served) {
      fit.ring_growth = ring_growth(wanted_, *fit.served);
      fit.lacking->message +=
          fit.ring_growth.slots ? "; it has smaller rings meanwhile" : "; it has larger rings meanwhile";
    } else if (placement_.has_port(wanted_.name)) {
      fit.served = put_in_part();
      if (fit.served) fit.lacking->message += "; it is served in part meanwhile";
    }
    return fit;
  }

 private:
  bool put(const PortSpec& spec) {
    const auto placed = placement_.put(spec, now_);
    if (!placed) why_ = placed.error();
    return static_cast<bool>(placed);
  }

  // After put() has failed. Rings that are larger than wanted may be what the port has, as when it was for clients
  // outside: where nothing else changes they need no room.
  std::optional<PortSpec> put_with_other_rings(const PortSpec& spec) {
    if (why_.code != state::kNoRing) return std::nullopt;
    for (std::uint32_t slots = largest_ring(spec) / 2; slots >= LB_RING_MIN_SLOTS; slots /= 2)
      if (PortSpec smaller = with_smaller_rings(spec, slots); put(smaller)) return smaller;
    if (!placement_.has_port(spec.name)) return std::nullopt;
    if (PortSpec full = with_full_rings(spec); put(full)) return full;
    return std::nullopt;
  }

  std::optional<PortSpec> put_with_any_rings(const PortSpec& spec) {
    if (put(spec)) return spec;
    return put_with_other_rings(spec);
  }

  std::optional<PortSpec> put_in_part() {
    PortSpec part = wanted_;
    std::erase_if(part.frontends, [&](const state::FrontendSpec& frontend) {
      return !placement_.has_frontend(wanted_.name, frontend.key);
    });
    if (part.frontends.size() < wanted_.frontends.size())
      if (auto placed = put_with_any_rings(part)) return placed;
    for (const std::uint32_t newcomers : {placement_.free_backends(), 0u}) {
      const PortSpec fewer = with_newcomers(part, newcomers);
      if (fewer.backends.size() == part.backends.size()) continue;
      if (auto placed = put_with_any_rings(fewer)) return placed;
    }
    return put_without_rings(part);
  }

  // With so many of the endpoints that have no place yet.
  PortSpec with_newcomers(const PortSpec& spec, std::uint32_t newcomers) const {
    return only(spec, [&, left = newcomers](const state::BackendSpec& backend) mutable {
      if (!backend.keeps_flows || placement_.slot(spec.name, backend.endpoint)) return true;
      if (left == 0) return false;
      --left;
      return true;
    });
  }

  // Its ring leads to endpoints that it has not any more, and there is no room for another, nor will there be: so the
  // ring is given up, and there is when it has rested.
  std::optional<PortSpec> put_without_rings(const PortSpec& spec) {
    if (why_.code != state::kNoRing || placement_.has_resting_rings() || !leads_astray(spec)) return std::nullopt;
    PortSpec kept = with_newcomers(spec, 0);
    for (state::PoolSpec& pool : kept.pools)
      if (pool.ring) pool = {{}, nullptr, LB_SERVICE_DROP};
    return put(kept) ? std::optional(std::move(kept)) : std::nullopt;
  }

  bool leads_astray(const PortSpec& spec) const {
    state::AbiSet<lb_service_key> members;
    for (const state::PoolSpec& pool : spec.pools)
      for (const std::uint32_t member : pool.members)
        members.insert(spec.backends[member].endpoint);
    const auto has = placement_.ring_members(spec.name);
    return std::any_of(has.begin(), has.end(), [&](const lb_service_key& one) { return !members.contains(one); });
  }

  // Without the backends that `keep` does not want. Who comes for a pool that has none then is to try again.
  template <class Keep>
  static PortSpec only(const PortSpec& spec, Keep keep) {
    PortSpec some = spec;
    some.backends.clear();
    std::vector<std::optional<std::uint32_t>> places;
    for (const state::BackendSpec& backend : spec.backends) {
      const bool kept = keep(backend);
      places.push_back(kept ? std::optional(static_cast<std::uint32_t>(some.backends.size())) : std::nullopt);
      if (kept) some.backends.push_back(backend);
    }
    for (state::PoolSpec& pool : some.pools)
      if (pool.ring) shrink(pool, places, some);
    return some;
  }

  static void shrink(state::PoolSpec& pool, const std::vector<std::optional<std::uint32_t>>& places,
                     const PortSpec& spec) {
    std::vector<std::uint32_t> members;
    for (const std::uint32_t member : pool.members)
      if (const std::optional<std::uint32_t>& place = places[member]; place) members.push_back(*place);
    if (members.size() == pool.members.size()) {
      pool.members = std::move(members);
    } else if (members.empty()) {
      pool = {{}, nullptr, LB_SERVICE_DROP};
    } else {
      const std::uint32_t slots = std::min(slots_of(pool), ring_slots(members.size()));
      pool.members = std::move(members);
      pool.ring = make_ring(spec, pool.members, slots);
    }
  }

  state::Placement& placement_;
  const PortSpec& wanted_;
  state::Time now_;
  Error why_;  // of what was tried last
};

}  // namespace

Fit put_what_fits(state::Placement& placement, const PortSpec& spec, state::Time now) {
  return Fitting(placement, spec, now).fit();
}

}  // namespace fairlead::compile
