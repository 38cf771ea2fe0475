// SPDX-License-Identifier: Apache-2.0
#include "userspace/compile/endpoints.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace fairlead::compile {
namespace {

using Indices = std::vector<std::size_t>;

template <class Predicate>
Indices where(const std::vector<Candidate>& candidates, const Predicate& predicate) {
  Indices found;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (predicate(candidates[i])) found.push_back(i);
  return found;
}

bool is_ready(const Candidate& candidate) {
  return candidate.endpoint->ready;
}
bool still_serves(const Candidate& candidate) {
  return candidate.endpoint->serving && candidate.endpoint->terminating;
}

// The readiest of an endpoint's duplicates is it, of equally ready ones one that is here.
auto worth(const Candidate& candidate) {
  return std::tuple(is_ready(candidate), still_serves(candidate), candidate.endpoint->serving,
                    !candidate.endpoint->terminating, candidate.local);
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The ready endpoints whose hints name us, or nothing where hints do not apply.
Indices hinted(const std::vector<Candidate>& candidates, const Indices& ready,
               const std::vector<std::string> model::Endpoint::* hints, const std::string& us) {
  Indices ours;
  if (us.empty()) return ours;
  for (const std::size_t i : ready) {
    const auto& names = candidates[i].endpoint->*hints;
    if (names.empty()) return {};
    if (contains(names, us)) ours.push_back(i);
  }
  return ours;
}

Indices available(const std::vector<Candidate>& candidates, const Indices& ready, const NodeView& node) {
  if (const Indices by_node = hinted(candidates, ready, &model::Endpoint::hint_nodes, node.name); !by_node.empty())
    return by_node;
  if (const Indices by_zone = hinted(candidates, ready, &model::Endpoint::hint_zones, node.zone); !by_zone.empty())
    return by_zone;
  return ready;
}

}  // namespace

std::vector<Candidate> gather(const model::ServicePort& port, Family family, const model::Store::Slices& slices,
                              const NodeView& node) {
  std::map<std::pair<Address, std::uint16_t>, Candidate> unique;
  for (const auto& [name, slice] : slices) {
    if (slice->family != family || slice->headless) continue;
    for (const model::EndpointPort& slice_port : slice->ports) {
      if (slice_port.name != port.name || slice_port.protocol != port.protocol || slice_port.port == 0) continue;
      for (const model::Endpoint& endpoint : slice->endpoints) {
        const bool local =
            (!node.name.empty() && endpoint.node_name == node.name) || node.addresses.contains(endpoint.address);
        const Candidate candidate{&endpoint, slice_port.port, local};
        const auto [it, is_new] = unique.try_emplace({endpoint.address, slice_port.port}, candidate);
        if (!is_new && worth(it->second) < worth(candidate)) it->second = candidate;
      }
    }
  }
  std::vector<Candidate> candidates;
  candidates.reserve(unique.size());
  for (const auto& [key, candidate] : unique)
    candidates.push_back(candidate);
  return candidates;
}

Categories categorize(const std::vector<Candidate>& candidates, const NodeView& node) {
  Categories categories;
  const Indices ready = where(candidates, is_ready);
  const Indices serving = where(candidates, still_serves);
  categories.cluster = ready.empty() ? serving : available(candidates, ready, node);
  categories.local = where(candidates, [](const Candidate& c) { return c.local && is_ready(c); });
  if (categories.local.empty())
    categories.local = where(candidates, [](const Candidate& c) { return c.local && still_serves(c); });
  categories.any = !ready.empty() || !serving.empty();
  return categories;
}

}  // namespace fairlead::compile
