// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/attributes.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <cstring>

namespace fairlead::host {
namespace {

int collect(const nlattr* attribute, void* found) {
  (*static_cast<Attributes*>(found))[mnl_attr_get_type(attribute)] = attribute;
  return MNL_CB_OK;
}

}  // namespace

Attributes attributes(const nlmsghdr* message, std::size_t header) {
  Attributes found;
  mnl_attr_parse(message, static_cast<unsigned>(header), collect, &found);
  return found;
}

Attributes nested(const nlattr* outer) {
  Attributes found;
  mnl_attr_parse_nested(outer, collect, &found);
  return found;
}

const nlattr* get(const Attributes& all, std::uint16_t type) {
  const auto it = all.find(type);
  return it == all.end() ? nullptr : it->second;
}

std::optional<Address> address_of(const nlattr* attribute, int family) {
  if (!attribute || (family != AF_INET && family != AF_INET6)) return std::nullopt;
  const std::size_t length = family == AF_INET ? 4 : 16;
  if (mnl_attr_get_payload_len(attribute) != length) return std::nullopt;
  Address address;
  address.family = static_cast<Family>(family);
  std::memcpy(address.bytes.data(), mnl_attr_get_payload(attribute), length);
  return address;
}

}  // namespace fairlead::host
