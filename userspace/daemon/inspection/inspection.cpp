// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection/inspection.h"

#include <unistd.h>

#include "userspace/daemon/inspection/flows.h"
#include "userspace/daemon/inspection/problems.h"
#include "userspace/daemon/inspection/rings.h"
#include "userspace/daemon/inspection/services.h"
#include "userspace/daemon/inspection/usage.h"
#include "userspace/daemon/inspection/verdicts.h"
#include "userspace/util/version.h"

namespace fairlead::daemon {
namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point time) {
  return std::chrono::duration<double>(SteadyClock::now() - time).count();
}

}  // namespace

admin::VersionView Inspection::version() const {
  return {fairlead::version()};
}

admin::StatusView Inspection::status() const {
  admin::StatusView status;
  status.daemon = version();
  status.node = parts_.options.node_name;
  status.pid = getpid();
  status.uptime_seconds = std::chrono::duration_cast<std::chrono::seconds>(SteadyClock::now() - started_).count();
  status.source = parts_.source.name();
  status.synced = parts_.sync.completed();
  const source::Contact contact = parts_.source.contact();
  if (contact.heard) status.heard_seconds = seconds_since(*contact.heard);
  if (contact.behind_since) status.behind_seconds = seconds_since(*contact.behind_since);
  status.adopted = parts_.object.adopted();
  for (const auto& [name, service] : parts_.store.services())
    status.services += !served_ports(name, parts_.sync).empty();
  status.problems = static_cast<std::int64_t>(problems().size());
  status.failed_writes = parts_.sync.has_pending_writes() ? static_cast<std::int64_t>(parts_.sync.failed_writes()) : 0;
  status.devices = devices();
  status.usage = view_usage(parts_.sync.placement(), parts_.upkeep.last_pass(), parts_.object.sizes());
  return status;
}

std::vector<admin::DeviceView> Inspection::devices() const {
  std::vector<admin::DeviceView> views;
  for (const auto& [name, attached] : parts_.network.attached()) {
    admin::DeviceView& view = views.emplace_back(
        admin::DeviceView{name, attached.ifindex, datapath::to_string(attached.xdp), {}, attached.note});
    for (const Address& address : parts_.network.addresses_of(attached.ifindex))
      view.addresses.push_back(address.to_string());
  }
  return views;
}

std::vector<admin::ProblemView> Inspection::problems() const {
  std::vector<admin::ProblemView> views = view_problems(parts_.source.problems(), parts_.sync);
  const bool knows_nodes = parts_.source.knows_nodes() && parts_.source.unread().empty();
  if (auto unknown = unknown_node(parts_.options.node_name, parts_.store, knows_nodes))
    views.push_back(*std::move(unknown));
  for (const auto* of_node :
       {&parts_.network.problems(), &parts_.ways.problems(), &parts_.way_checks.problems(), &parts_.upkeep.problems()})
    for (const std::string& problem : *of_node)
      views.push_back({"", "", "", "", problem});
  for (const std::string& problem : parts_.endpoints.problems())
    views.push_back({"", "", "", "", problem});
  return views;
}

std::vector<admin::ServiceView> Inspection::services() const {
  const std::vector<lb_backend_stats> all =
      datapath::read_all_backend_stats(parts_.object, parts_.sync.placement().backend_slots_end());
  const auto stats = [&](std::uint32_t slot) { return slot < all.size() ? all[slot] : lb_backend_stats{}; };
  std::vector<admin::ServiceView> views;
  for (const auto& [name, service] : parts_.store.services())
    views.push_back(view_service(*service, parts_.sync, stats));
  return views;
}

std::vector<admin::PortSummary> Inspection::ports() const {
  std::vector<admin::PortSummary> summaries;
  for (const auto& [name, service] : parts_.store.services())
    for (admin::PortSummary& summary : summarize_ports(*service, parts_.sync))
      summaries.push_back(std::move(summary));
  return summaries;
}

Result<const model::Service*> Inspection::find(const std::string& space, const std::string& name) const {
  if (const model::Service* service = parts_.store.service({space, name})) return service;
  return Error{"Service " + space + "/" + name + ": not found", ENOENT};
}

Result<admin::ServiceView> Inspection::service(const std::string& space, const std::string& name) const {
  const auto found = find(space, name);
  if (!found) return found.error();
  return view_service(**found, parts_.sync,
                      [this](std::uint32_t slot) { return datapath::read_backend_stats(parts_.object, slot); });
}

Result<std::vector<admin::RingView>> Inspection::rings(const std::string& space, const std::string& name) const {
  const auto found = find(space, name);
  if (!found) return found.error();
  std::vector<admin::RingView> views;
  for (const state::PortSpec* spec : served_ports({space, name}, parts_.sync))
    for (admin::RingView& ring : view_rings(**found, *spec))
      views.push_back(std::move(ring));
  return views;
}

Result<std::vector<admin::FlowView>> Inspection::flows(const admin::FlowFilter& filter) const {
  return query_flows(parts_.object, parts_.sync.placement().desired().names, filter);
}

std::vector<admin::HookView> Inspection::verdicts() const {
  return view_verdicts(datapath::read_verdicts(parts_.object));
}

}  // namespace fairlead::daemon
