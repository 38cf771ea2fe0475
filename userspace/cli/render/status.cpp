// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include "userspace/cli/render/render.h"
#include "userspace/cli/render/text.h"
#include "userspace/cli/table.h"

namespace fairlead::cli {

namespace {

std::string source_text(const admin::StatusView& status) {
  const auto text_of = [](double seconds) { return seconds_text(static_cast<std::int64_t>(seconds)); };
  std::string text = status.synced ? "in sync" : "NOT READ COMPLETELY YET";
  if (status.synced && status.behind_seconds > 0) text = "NOT FOLLOWED for " + text_of(status.behind_seconds);
  if (status.behind_seconds > 0)
    text += status.heard_seconds < 0 ? ", never heard" : ", last heard " + text_of(status.heard_seconds) + " ago";
  return text + (status.adopted ? ", took over the maps of an earlier lbd" : "");
}

// Without what has not been counted yet.
std::vector<std::string> usage_cells(const admin::UsageView& one) {
  const bool counted = one.used >= 0;
  const double percent = 100.0 * static_cast<double>(one.used) / static_cast<double>(one.limit);
  return {one.name, counted ? std::to_string(one.used) : "-", std::to_string(one.limit),
          counted && one.limit ? fmt::format("{:.1f}", percent) : "-"};
}

}  // namespace

std::string render_status(const admin::StatusView& status) {
  std::string text = fmt::format("lbd {} on node {}, up {}, pid {}\n", status.daemon.version, status.node,
                                 seconds_text(status.uptime_seconds), status.pid);
  text += fmt::format("source    {}: {}\n", status.source, source_text(status));
  text += fmt::format("services  {} served, {} problem{}\n", status.services, status.problems,
                      status.problems == 1 ? "" : "s");
  if (status.failed_writes) text += fmt::format("WRITES TO MAPS FAIL: {} so far; see the log\n", status.failed_writes);
  Table devices({"DEVICE", "XDP", "ADDRESSES", "NOTE"});
  for (const admin::DeviceView& device : status.devices)
    devices.add({device.name, device.xdp, fmt::format("{}", fmt::join(device.addresses, " ")), device.note});
  Table usage({"MAP", ">USED", ">LIMIT", ">%"});
  for (const admin::UsageView& one : status.usage)
    usage.add(usage_cells(one));
  return text + "\n" + devices.text() + "\n" + usage.text();
}

std::string render_problems(const std::vector<admin::ProblemView>& problems) {
  return problems.empty() ? "no problems\n" : problems_text(problems);
}

}  // namespace fairlead::cli
