// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/endpoint.h"

#include "userspace/util/text.h"

namespace fairlead {

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  const auto address = Address::parse(host);
  const auto port = to_number<std::uint16_t>(text.substr(colon + 1));
  if (!address || !port || brackets != (address->family == Family::IPv6)) return std::nullopt;
  return Endpoint{*address, *port};
}

std::string host_port_text(const std::string& host, std::uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace fairlead
