// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::host {

struct PortSpan {
  std::uint16_t first = 0;
  std::uint16_t last = 0;

  bool operator==(const PortSpan&) const = default;
};

// Which ports the kernel gives to connections of this host that ask for none.
struct LocalPorts {
  PortSpan range;
  std::vector<PortSpan> reserved;  // but not these

  // Those of a span that it may give.
  std::vector<PortSpan> among(PortSpan span) const;
};

// Of the texts in /proc/sys/net/ipv4/ip_local_port_range and ip_local_reserved_ports; nothing where they are no such
// texts.
std::optional<LocalPorts> parse_local_ports(const std::string& range, const std::string& reserved);
// Of this network namespace. Nothing where it cannot be read.
std::optional<LocalPorts> read_local_ports();

}  // namespace fairlead::host
