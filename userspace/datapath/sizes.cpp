// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/sizes.h"

#include <algorithm>
#include <bit>

namespace fairlead::datapath {
namespace {

std::uint32_t power_of_two(std::uint32_t wanted, std::uint32_t least) {
  return std::bit_ceil(std::max(wanted, least));
}

}  // namespace

Sizes rounded(const Sizes& asked) {
  Sizes sizes = asked;
  sizes.ring_slots = power_of_two(asked.ring_slots, LB_RING_CHUNK_SLOTS);
  // A list takes a power of two, rests before its space is used again, and some ports have two of them.
  sizes.members = power_of_two(std::max(asked.members, 4 * asked.backends), LB_MEMBER_CHUNK_SLOTS);
  sizes.flows4 = power_of_two(asked.flows4, LB_FLOW_WAYS);
  sizes.flows6 = power_of_two(asked.flows6, LB_FLOW_WAYS);
  return sizes;
}

std::span<const Sized> sized_maps() {
  static constexpr std::uint32_t kSets = LB_FLOW_ENTRIES_PER_FLOW / LB_FLOW_WAYS;
  static constexpr Sized kSized[] = {{"lb_services", "--max-frontends", &Sizes::frontends, 1, 1},
                                     {"lb_addresses", "--max-addresses", &Sizes::addresses, 1, 1},
                                     {"lb_service_names", "--max-services", &Sizes::service_ports, 1, 1},
                                     {"lb_backends", "--max-backends", &Sizes::backends, 1, 1},
                                     {"lb_backend_stats", "--max-backends", &Sizes::backends, 1, 1},
                                     {"lb_rings", "--max-ring-slots", &Sizes::ring_slots, 1, LB_RING_CHUNK_SLOTS},
                                     {"lb_members", nullptr, &Sizes::members, 1, LB_MEMBER_CHUNK_SLOTS},
                                     {"lb_flow4", "--max-flows-ipv4", &Sizes::flows4, kSets, 1},
                                     {"lb_flow6", "--max-flows-ipv6", &Sizes::flows6, kSets, 1}};
  return kSized;
}

}  // namespace fairlead::datapath
