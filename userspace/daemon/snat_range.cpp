// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/snat_range.h"

namespace fairlead::daemon {
namespace {

std::string text(host::PortSpan span) {
  return std::to_string(span.first) + "-" + std::to_string(span.last);
}

}  // namespace

std::string snat_range_problem(host::PortSpan snat, const host::LocalPorts& local) {
  std::string shared;
  for (const host::PortSpan& span : local.among(snat)) {
    if (!shared.empty()) shared += ",";
    shared += text(span);
  }
  if (shared.empty()) return "";
  return "--snat-port-range: " + text(snat) + ": the host's own connections leave from " + text(local.range) +
         " (net.ipv4.ip_local_port_range), so some of those from " + shared +
         " to backends will break: choose another range, or put it into net.ipv4.ip_local_reserved_ports";
}

}  // namespace fairlead::daemon
