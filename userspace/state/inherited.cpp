// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/inherited.h"

#include <algorithm>

namespace fairlead::state {

Inherited::Inherited(const Tables& adopted) {
  for (const auto& [id, name] : adopted.names)
    ports_.try_emplace(name);
  take_backends(adopted);
  take_pools(adopted);
}

// Those that had left are left out: nobody has to be told that they are gone.
void Inherited::take_backends(const Tables& adopted) {
  for (const auto& [slot, backend] : adopted.backends) {
    if (backend.flags & LB_BACKEND_LEFT) continue;
    const lb_service_key endpoint{backend.addr, backend.port, backend.proto, backend.family};
    ports_.at(adopted.names.at(backend.service_id)).backends.push_back({endpoint, backend.flags});
  }
}

void Inherited::take_pools(const Tables& adopted) {
  for (const auto& [frontend, service] : adopted.services) {
    if (!service.ring_slots) continue;
    Pool& pool = ports_.at(adopted.names.at(service.id)).pools[frontend];
    pool.ring = adopted.rings.at(service.ring_offset);
    for (const std::uint32_t slot : *adopted.members.at(service.member_offset)) {
      const lb_backend& backend = adopted.backends.at(slot);
      pool.members.push_back({backend.addr, backend.port, backend.proto, backend.family});
    }
  }
}

bool Inherited::add_to(PortSpec& spec) const {
  const auto port = ports_.find(spec.name);
  if (port == ports_.end()) return false;
  Places places = places_of(spec);
  bool added = add_backends(port->second, spec, places);
  for (FrontendSpec& frontend : spec.frontends)
    if (const auto pool = port->second.pools.find(frontend.key); pool != port->second.pools.end())
      added |= add_pool(pool->second, places, spec, frontend);
  return added;
}

Inherited::Places Inherited::places_of(const PortSpec& spec) {
  Places places;
  for (std::uint32_t i = 0; i < spec.backends.size(); ++i)
    places[spec.backends[i].endpoint] = i;
  return places;
}

bool Inherited::add_backends(const Port& port, PortSpec& spec, Places& places) {
  const std::size_t known = spec.backends.size();
  for (const BackendSpec& backend : port.backends)
    if (places.try_emplace(backend.endpoint, static_cast<std::uint32_t>(spec.backends.size())).second)
      spec.backends.push_back(backend);
  return spec.backends.size() > known;
}

// For a frontend that would have nobody. A member that is known to take no flows any more speaks against all of them:
// the ring cannot do without it.
bool Inherited::add_pool(const Pool& pool, const Places& places, PortSpec& spec, FrontendSpec& frontend) {
  const PoolSpec& known = spec.pools[frontend.pool];
  if (!known.members.empty() || known.for_nobody) return false;
  PoolSpec kept{{}, pool.ring, 0};
  for (const lb_service_key& member : pool.members) {
    const auto place = places.find(member);
    if (place == places.end() || !spec.backends[place->second].keeps_flows) return false;
    kept.members.push_back(place->second);
  }
  const auto same = std::find_if(spec.pools.begin(), spec.pools.end(),
                                 [&](const PoolSpec& one) { return one.members == kept.members; });
  frontend.pool = static_cast<std::uint32_t>(same - spec.pools.begin());
  if (same == spec.pools.end()) spec.pools.push_back(std::move(kept));
  return true;
}

}  // namespace fairlead::state
