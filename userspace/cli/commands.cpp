// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/commands.h"

#include <spdlog/fmt/fmt.h>

#include <boost/url.hpp>

#include "userspace/admin/view.h"
#include "userspace/cli/table.h"
#include "userspace/util/version.h"

namespace fairlead::cli {
namespace {

using admin::BackendView;
using admin::FrontendView;
using admin::ServicePortView;
using admin::ServiceView;

// Fetches a T and prints it: as lbd wrote it, or as text.
template <class T, class Render>
Result<std::string> show(const Context& context, const std::string& target, const Render& render) {
  const auto answer = context.client.get(target);
  if (!answer) return answer.error();
  if (context.output == Output::kJson) return boost::json::serialize(*answer) + "\n";
  const auto value = as<T>(*answer);
  if (!value) return value.error();
  return render(*value);
}

Result<std::string> target_of(const std::string& service, const std::string& suffix = "") {
  const auto slash = service.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == service.size() ||
      service.find('/', slash + 1) != std::string::npos)
    return Error{service + ": must be of the form NAMESPACE/NAME", EINVAL};
  return "/v1/services/" + service + suffix;
}

std::string flows_target(const std::string& path, const Query& query) {
  boost::urls::url url(path);
  for (const auto& [name, value] : query)
    if (!value.empty()) url.params().append({name, value});
  return std::string(url.buffer());
}

std::string name_of(const ServicePortView& port) {
  return (port.name.empty() ? "" : port.name + " ") + std::to_string(port.port) + "/" + port.protocol;
}

std::string address_of(const std::string& address, std::uint16_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  return (address.empty() ? "*" : v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

std::string problems_text(const std::vector<admin::ProblemView>& problems) {
  std::string text;
  for (const admin::ProblemView& problem : problems) {
    std::string line;
    for (const std::string* part : {&problem.where, &problem.object, &problem.field, &problem.value, &problem.message})
      if (!part->empty()) line += (line.empty() ? "" : ": ") + *part;
    text += "! " + line + "\n";
  }
  return text;
}

std::vector<std::string> row(const BackendView& backend) {
  return {address_of(backend.address, backend.port), backend.state,
          backend.local ? "this node" : "remote",    std::to_string(backend.connections),
          std::to_string(backend.packets_in),        bytes_text(backend.bytes_in),
          std::to_string(backend.packets_out),       bytes_text(backend.bytes_out)};
}

std::string render_services(const std::vector<ServiceView>& services) {
  Table table({"NAMESPACE", "NAME", "PORT", "KIND", "FRONTEND", "ACTION", ">BACKENDS"});
  std::string problems;
  for (const ServiceView& service : services) {
    for (const ServicePortView& port : service.ports)
      for (const FrontendView& frontend : port.frontends)
        table.add({service.space, service.name, name_of(port), frontend.kind,
                   frontend.address.empty() ? "*:" + std::to_string(frontend.port) + " (" + port.family + ")"
                                            : address_of(frontend.address, frontend.port),
                   frontend.action, std::to_string(frontend.backends)});
    problems += problems_text(service.problems);
  }
  return (table.empty() ? "no services\n" : table.text()) + problems;
}

std::string render_service(const ServiceView& service) {
  std::string text = fmt::format("Service {}/{} ({})\n", service.space, service.name, service.type);
  for (const ServicePortView& port : service.ports) {
    Table frontends({"  KIND", "FRONTEND", "ACTION", ">BACKENDS"});
    for (const FrontendView& frontend : port.frontends)
      frontends.add({"  " + frontend.kind, address_of(frontend.address, frontend.port), frontend.action,
                     std::to_string(frontend.backends)});
    Table backends(
        {"  BACKEND", "STATE", "WHERE", ">CONNECTIONS", ">PACKETS IN", ">BYTES IN", ">PACKETS OUT", ">BYTES OUT"});
    for (const BackendView& backend : port.backends) {
      auto cells = row(backend);
      cells[0] = "  " + cells[0];
      backends.add(std::move(cells));
    }
    text += fmt::format("\n{} ({})\n{}{}", name_of(port), port.family, frontends.text(),
                        backends.empty() ? "  no endpoints\n" : backends.text());
  }
  return text + problems_text(service.problems);
}

std::string render_status(const admin::StatusView& status) {
  std::string text = fmt::format("lbd {} on node {}, up {}, pid {}\n", status.daemon.version, status.node,
                                 seconds_text(status.uptime_seconds), status.pid);
  text += fmt::format("source    {}: {}{}\n", status.source, status.synced ? "in sync" : "NOT READ COMPLETELY YET",
                      status.adopted ? ", took over the maps of an earlier lbd" : "");
  text += fmt::format("services  {} served, {} problem{}\n", status.services, status.problems,
                      status.problems == 1 ? "" : "s");
  if (status.failed_writes) text += fmt::format("WRITES TO MAPS FAIL: {} so far; see the log\n", status.failed_writes);
  Table devices({"DEVICE", "XDP", "ADDRESSES", "NOTE"});
  for (const admin::DeviceView& device : status.devices)
    devices.add({device.name, device.xdp, fmt::format("{}", fmt::join(device.addresses, " ")), device.note});
  Table usage({"MAP", ">USED", ">LIMIT", ">%"});
  for (const admin::UsageView& one : status.usage)
    usage.add({one.name, std::to_string(one.used), std::to_string(one.limit),
               one.limit ? fmt::format("{:.1f}", 100.0 * static_cast<double>(one.used) / static_cast<double>(one.limit))
                         : "-"});
  return text + "\n" + devices.text() + "\n" + usage.text();
}

std::string render_flows(const std::vector<admin::FlowView>& flows) {
  Table table({"PROTO", "CLIENT", "FRONTEND", "SOURCE SEEN", "BACKEND", "STATE", ">EXPIRES", "SERVICE"});
  for (const admin::FlowView& flow : flows)
    table.add({flow.protocol, flow.client, flow.frontend, flow.source == flow.client ? "=" : flow.source, flow.backend,
               flow.state + (flow.backend_gone ? " (backend gone)" : ""), seconds_text(flow.expires_seconds),
               flow.service});
  return table.empty() ? "no flows\n" : table.text();
}

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
      table.add({"  " + address_of(member.address, member.port), std::to_string(member.slots),
                 fmt::format("{:.2f} %", 100.0 * static_cast<double>(member.slots) / static_cast<double>(ring.slots))});
    text += table.text();
  }
  return text.empty() ? "no rings\n" : text;
}

}  // namespace

Result<std::string> show_version(const Context& context) {
  const auto daemon = context.client.get("/v1/version");
  if (context.output == Output::kJson)
    return boost::json::serialize(
               boost::json::object{{"lbctl", version()}, {"lbd", daemon ? *daemon : boost::json::value()}}) +
           "\n";
  std::string text = std::string("lbctl ") + version() + "\n";
  if (!daemon) return text + "lbd   unreachable\n";
  const auto view = as<admin::VersionView>(*daemon);
  if (!view) return view.error();
  return text + fmt::format("lbd   {} (map layout {})\n", view->version, view->abi);
}

Result<std::string> show_status(const Context& context) {
  return show<admin::StatusView>(context, "/v1/status", render_status);
}

Result<std::string> list_problems(const Context& context) {
  return show<std::vector<admin::ProblemView>>(context, "/v1/problems", [](const auto& problems) {
    return problems.empty() ? "no problems\n" : problems_text(problems);
  });
}

Result<std::string> list_services(const Context& context) {
  return show<std::vector<ServiceView>>(context, "/v1/services", render_services);
}

Result<std::string> show_service(const Context& context, const std::string& service) {
  const auto target = target_of(service);
  if (!target) return target.error();
  return show<ServiceView>(context, *target, render_service);
}

Result<std::string> list_backends(const Context& context, const std::string& service) {
  const auto answer = context.client.get("/v1/services");
  if (!answer) return answer.error();
  const auto services = as<std::vector<ServiceView>>(*answer);
  if (!services) return services.error();
  Table table({"SERVICE", "BACKEND", "STATE", "WHERE", ">CONNECTIONS", ">PACKETS IN", ">BYTES IN", ">PACKETS OUT",
               ">BYTES OUT"});
  boost::json::array list;
  for (const ServiceView& one : *services) {
    if (!service.empty() && service != one.space + "/" + one.name) continue;
    for (const ServicePortView& port : one.ports)
      for (const BackendView& backend : port.backends) {
        auto cells = row(backend);
        cells.insert(cells.begin(), port.id);
        table.add(std::move(cells));
        boost::json::object object = boost::json::value_from(backend).as_object();
        object["service"] = port.id;
        list.push_back(std::move(object));
      }
  }
  if (context.output == Output::kJson) return boost::json::serialize(list) + "\n";
  return table.empty() ? "no backends\n" : table.text();
}

Result<std::string> list_flows(const Context& context, const Query& query) {
  return show<std::vector<admin::FlowView>>(context, flows_target("/v1/flows", query), render_flows);
}

Result<std::string> count_flows(const Context& context, const Query& query) {
  return show<admin::CountView>(context, flows_target("/v1/flows/count", query),
                                [](const admin::CountView& count) { return std::to_string(count.count) + "\n"; });
}

Result<std::string> show_rings(const Context& context, const std::string& service) {
  const auto target = target_of(service, "/rings");
  if (!target) return target.error();
  return show<std::vector<admin::RingView>>(context, *target, render_rings);
}

Result<std::string> list_verdicts(const Context& context, bool nonzero) {
  return show<std::vector<admin::VerdictView>>(context, "/v1/verdicts", [&](const auto& verdicts) {
    Table table({"VERDICT", "KIND", ">XDP", ">TC INGRESS", ">TC EGRESS", "MEANING"});
    for (const admin::VerdictView& verdict : verdicts)
      if (!nonzero || verdict.xdp || verdict.tc_ingress || verdict.tc_egress)
        table.add({verdict.name, verdict.kind, std::to_string(verdict.xdp), std::to_string(verdict.tc_ingress),
                   std::to_string(verdict.tc_egress), verdict.meaning});
    return table.empty() ? std::string("nothing counted yet\n") : table.text();
  });
}

std::vector<std::string> service_names(const Client& client) {
  std::vector<std::string> names;
  const auto answer = client.get("/v1/services");
  if (!answer) return names;
  const auto services = as<std::vector<ServiceView>>(*answer);
  if (services)
    for (const ServiceView& service : *services)
      names.push_back(service.space + "/" + service.name);
  return names;
}

}  // namespace fairlead::cli
