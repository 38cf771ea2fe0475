// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/render/render.h"
#include "userspace/cli/table.h"

namespace fairlead::cli {

std::string render_flows(const std::vector<admin::FlowView>& flows) {
  Table table({"PROTO", "CLIENT", "FRONTEND", "SOURCE SEEN", "BACKEND", "STATE", ">EXPIRES", "SERVICE"});
  for (const admin::FlowView& flow : flows)
    table.add({flow.protocol, flow.client, flow.frontend, flow.source == flow.client ? "=" : flow.source, flow.backend,
               admin::to_string(flow.state) + std::string(flow.backend_gone ? " (backend gone)" : ""),
               seconds_text(flow.expires_seconds), flow.service});
  return table.empty() ? "no flows\n" : table.text();
}

}  // namespace fairlead::cli
