// SPDX-License-Identifier: Apache-2.0
#include "userspace/compile/ring.h"

#include "userspace/compile/maglev.h"

namespace fairlead::compile {
namespace {

// FNV-1a over the bytes that say which backend it is: the same on every node.
std::uint64_t identity(const lb_service_key& endpoint) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&endpoint);
  for (std::size_t i = 0; i < sizeof(endpoint); ++i)
    hash = (hash ^ bytes[i]) * 0x100000001b3ull;
  return hash;
}

}  // namespace

state::Ring make_ring(const state::PortSpec& spec, const std::vector<std::uint32_t>& members, std::uint32_t slots) {
  std::vector<RingMember> ring;
  ring.reserve(members.size());
  for (const std::uint32_t member : members)
    ring.push_back({identity(spec.backends[member].endpoint), 1});
  return std::make_shared<const std::vector<std::uint16_t>>(fill_ring(ring, slots));
}

}  // namespace fairlead::compile
