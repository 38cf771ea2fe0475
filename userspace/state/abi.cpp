// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/abi.h"

#include <arpa/inet.h>

namespace fairlead::state {

lb_addr to_abi(const Address& address) {
  lb_addr addr{};
  std::memcpy(addr.word, address.bytes.data(), sizeof(addr.word));
  return addr;
}

Address from_abi(const lb_addr& addr, std::uint8_t family) {
  Address address;
  address.family = family == LB_AF_INET ? Family::IPv4 : Family::IPv6;
  std::memcpy(address.bytes.data(), addr.word, address.bytes.size());
  return address;
}

lb_service_name to_abi(std::string_view name) {
  lb_service_name abi{};
  name.copy(abi.text, sizeof(abi.text) - 1);
  return abi;
}

std::string from_abi(const lb_service_name& name) {
  return {name.text, strnlen(name.text, sizeof(name.text))};
}

std::uint32_t filter_bucket(const lb_addr& addr, std::uint8_t family) {
  return lb_address_hash(addr.word, family == LB_AF_INET ? 1 : 4);
}

std::string protocol_name(std::uint8_t proto) {
  switch (proto) {
    case LB_IPPROTO_TCP:
      return "TCP";
    case LB_IPPROTO_UDP:
      return "UDP";
    default:
      return std::to_string(proto);
  }
}

std::string describe(const lb_service_key& key) {
  const Address address = from_abi(key.addr, key.family);
  const std::uint16_t port = ntohs(key.port);
  const std::string protocol = protocol_name(key.proto);
  if (address.is_unspecified())
    return "nodeport " + std::to_string(port) + "/" + protocol + (key.family == LB_AF_INET ? "/IPv4" : "/IPv6");
  return endpoint_text(address, port) + "/" + protocol;
}

}  // namespace fairlead::state
