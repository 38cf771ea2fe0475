// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/local_ports.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "userspace/util/text.h"

namespace fairlead::host {
namespace {

// "8080" or "9000-9100".
std::optional<PortSpan> parse_span(std::string_view text) {
  const std::vector<std::string> ends = split(text, '-');
  const auto first = to_number<std::uint16_t>(ends.front()), last = to_number<std::uint16_t>(ends.back());
  if (!first || !last || ends.size() > 2) return std::nullopt;
  return PortSpan{*first, *last};
}

std::optional<std::string> read_file(const char* path) {
  std::ostringstream text;
  if (!(text << std::ifstream(path).rdbuf())) return std::nullopt;
  return text.str();
}

}  // namespace

std::vector<PortSpan> LocalPorts::among(PortSpan span) const {
  const auto is_given = [&](unsigned port) {
    return port >= range.first && port <= range.last &&
           std::none_of(reserved.begin(), reserved.end(),
                        [&](const PortSpan& one) { return port >= one.first && port <= one.last; });
  };
  std::vector<PortSpan> spans;
  for (unsigned port = span.first; port <= span.last; ++port) {
    if (!is_given(port)) continue;
    const auto number = static_cast<std::uint16_t>(port);
    if (!spans.empty() && spans.back().last + 1u == port)
      spans.back().last = number;
    else
      spans.push_back({number, number});
  }
  return spans;
}

std::optional<LocalPorts> parse_local_ports(const std::string& range, const std::string& reserved) {
  LocalPorts ports;
  std::istringstream ends(range);
  if (!(ends >> ports.range.first >> ports.range.last)) return std::nullopt;
  if (trimmed(reserved).empty()) return ports;
  for (const std::string& part : split(trimmed(reserved), ',')) {
    const auto span = parse_span(part);
    if (!span) return std::nullopt;
    ports.reserved.push_back(*span);
  }
  return ports;
}

std::optional<LocalPorts> read_local_ports() {
  const auto range = read_file("/proc/sys/net/ipv4/ip_local_port_range");
  const auto reserved = read_file("/proc/sys/net/ipv4/ip_local_reserved_ports");
  return range && reserved ? parse_local_ports(*range, *reserved) : std::nullopt;
}

}  // namespace fairlead::host
