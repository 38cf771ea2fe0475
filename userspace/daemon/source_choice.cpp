// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/source_choice.h"

#include <algorithm>

namespace fairlead::daemon {
namespace {

class Choice {
 public:
  Choice(const SourceOffer& offer, Family family) : offer_(offer), family_(family) {}

  template <class Addresses>
  std::optional<Address> first_of(const Addresses& addresses, bool also_of_services = false) const {
    for (const Address& address : addresses)
      if (is_good(address) && (also_of_services || !is_shared(address))) return address;
    return std::nullopt;
  }

 private:
  // An address of a service may be other nodes' as well, but not where it is the Node's own.
  bool is_shared(const Address& address) const {
    return offer_.is_service(address) && std::ranges::find(offer_.internal, address) == offer_.internal.end();
  }
  // Those of this node are neither loopback's nor link-local.
  bool is_good(const Address& address) const { return address.family == family_ && offer_.own.contains(address); }

  const SourceOffer& offer_;
  Family family_;
};

}  // namespace

std::optional<Address> choose_source(const SourceOffer& offer, Family family, const std::optional<Address>& by_route,
                                     const std::vector<Address>& on_device) {
  const Choice choice(offer, family);
  const std::vector<Address> route = by_route ? std::vector{*by_route} : std::vector<Address>();
  for (const auto* addresses : {&offer.asked, &route, &offer.internal, &on_device})
    if (const auto found = choice.first_of(*addresses)) return found;
  for (const auto* addresses : {&route, &on_device})
    if (const auto found = choice.first_of(*addresses, true)) return found;
  if (const auto found = choice.first_of(offer.own)) return found;
  return choice.first_of(offer.own, true);
}

}  // namespace fairlead::daemon
