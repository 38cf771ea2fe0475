// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include "userspace/cli/render/render.h"
#include "userspace/cli/render/text.h"
#include "userspace/cli/table.h"

namespace fairlead::cli {

std::string render_services(const std::vector<admin::ServiceView>& services) {
  Table table({"NAMESPACE", "NAME", "PORT", "KIND", "FRONTEND", "ACTION", ">BACKENDS"});
  std::string problems;
  for (const admin::ServiceView& service : services) {
    for (const admin::ServicePortView& port : service.ports)
      for (const admin::FrontendView& frontend : port.frontends)
        table.add({service.space, service.name, port_text(port), admin::to_string(frontend.kind),
                   frontend_text(port, frontend), admin::to_string(frontend.action),
                   std::to_string(frontend.backends)});
    if (service.ports.empty()) table.add({service.space, service.name, "-", service.type, "-", "none", "0"});
    problems += note_text(service) + pending_text(service) + problems_text(service.problems);
  }
  return (table.empty() ? "no services\n" : table.text()) + problems;
}

std::string render_service(const admin::ServiceView& service) {
  std::string text = fmt::format("Service {}/{} ({})\n", service.space, service.name, service.type);
  for (const admin::ServicePortView& port : service.ports) {
    Table frontends({"  KIND", "FRONTEND", "ACTION", ">BACKENDS"});
    for (const admin::FrontendView& frontend : port.frontends)
      frontends.add({std::string("  ") + admin::to_string(frontend.kind), address_text(frontend.address, frontend.port),
                     admin::to_string(frontend.action), std::to_string(frontend.backends)});
    std::vector<std::string> headings = backend_headings();
    headings[0] = "  " + headings[0];
    Table backends(std::move(headings));
    for (const admin::BackendView& backend : port.backends) {
      auto cells = backend_cells(backend);
      cells[0] = "  " + cells[0];
      backends.add(std::move(cells));
    }
    text += fmt::format("\n{} ({})\n{}{}", port_text(port), admin::to_string(port.family), frontends.text(),
                        backends.empty() ? "  no endpoints\n" : backends.text());
  }
  return text + note_text(service) + pending_text(service) + problems_text(service.problems);
}

std::string render_backends(const std::vector<admin::ServiceView>& services) {
  std::vector<std::string> headings = backend_headings();
  headings.insert(headings.begin(), "SERVICE");
  Table table(std::move(headings));
  for (const admin::ServiceView& service : services)
    for (const admin::ServicePortView& port : service.ports)
      for (const admin::BackendView& backend : port.backends) {
        auto cells = backend_cells(backend);
        cells.insert(cells.begin(), port.id);
        table.add(std::move(cells));
      }
  return table.empty() ? "no backends\n" : table.text();
}

}  // namespace fairlead::cli
