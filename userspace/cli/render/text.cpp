// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/render/text.h"

#include "userspace/cli/table.h"
#include "userspace/util/endpoint.h"

namespace fairlead::cli {

std::string port_text(const admin::ServicePortView& port) {
  return (port.name.empty() ? "" : port.name + " ") + std::to_string(port.port) + "/" + port.protocol;
}

std::string address_text(const std::string& address, std::uint16_t port) {
  return host_port_text(address.empty() ? "*" : address, port);
}

std::string frontend_text(const admin::ServicePortView& port, const admin::FrontendView& frontend) {
  const std::string text = address_text(frontend.address, frontend.port);
  return frontend.address.empty() ? text + " (" + admin::to_string(port.family) + ")" : text;
}

std::string pending_text(const admin::ServiceView& service) {
  std::string text;
  for (const admin::ServicePortView& port : service.ports)
    for (const admin::FrontendView& frontend : port.frontends)
      if (frontend.action == admin::Action::kPending)
        text += "! " + port.id + ": " + frontend_text(port, frontend) + ": not in the maps: " + frontend.error + "\n";
  return text;
}

std::string note_text(const admin::ServiceView& service) {
  return service.note.empty() ? "" : "- Service " + service.space + "/" + service.name + " " + service.note + "\n";
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

std::vector<std::string> backend_headings() {
  return {"BACKEND", "STATE", "WHERE", ">CONNECTIONS", ">PACKETS IN", ">BYTES IN", ">PACKETS OUT", ">BYTES OUT"};
}

std::vector<std::string> backend_cells(const admin::BackendView& backend) {
  return {address_text(backend.address, backend.port), admin::to_string(backend.state),
          backend.local ? "this node" : "remote",      std::to_string(backend.connections),
          std::to_string(backend.packets_in),          bytes_text(backend.bytes_in),
          std::to_string(backend.packets_out),         bytes_text(backend.bytes_out)};
}

}  // namespace fairlead::cli
