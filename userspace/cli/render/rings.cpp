// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include "userspace/cli/render/render.h"
#include "userspace/cli/render/text.h"
#include "userspace/cli/table.h"

namespace fairlead::cli {

std::string render_rings(const std::vector<admin::RingView>& rings) {
  std::string text;
  for (const admin::RingView& ring : rings) {
    text += fmt::format("{}{}\n  for {}\n", text.empty() ? "" : "\n", ring.service, fmt::join(ring.frontends, ", "));
    if (!ring.slots) {
      text += "  no backends\n";
      continue;
    }
    text += fmt::format("  {} slots over {} backends; the largest share is {:.3f} of the mean\n", ring.slots,
                        ring.members.size(), ring.imbalance);
    Table table({"  BACKEND", ">SLOTS", ">SHARE"});
    for (const admin::RingMemberView& member : ring.members)
      table.add({"  " + address_text(member.address, member.port), std::to_string(member.slots),
                 fmt::format("{:.2f} %", 100.0 * static_cast<double>(member.slots) / static_cast<double>(ring.slots))});
    text += table.text();
  }
  return text.empty() ? "no rings\n" : text;
}

}  // namespace fairlead::cli
