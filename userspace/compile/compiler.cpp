// SPDX-License-Identifier: Apache-2.0
#include "userspace/compile/compiler.h"

#include <algorithm>

#include "userspace/compile/service.h"

namespace fairlead::compile {

Compiler::Output Compiler::update(const std::set<model::Name>& changed, const model::Store& store) {
  Pending pending = changed;
  std::map<model::Name, std::set<std::string>> before;
  std::map<std::string, state::PortSpec> put;
  // A service can come up again, when another has taken a frontend from it or left it one: it counts as it was last.
  while (!pending.empty()) {
    const model::Name name = std::move(pending.extract(pending.begin()).value());
    const std::set<std::string> old = ports_of(name);
    before.try_emplace(name, old);
    for (const std::string& port : old)
      put.erase(port);
    for (state::PortSpec& port : compile_one(name, store, pending))
      put[port.name] = std::move(port);
  }

  Output output;
  for (auto& [name, port] : put)
    output.put.push_back(std::move(port));
  for (const auto& [service, ports] : before) {
    const std::set<std::string>& now = ports_of(service);
    std::set_difference(ports.begin(), ports.end(), now.begin(), now.end(), std::back_inserter(output.remove));
    output.services.insert(service);
  }
  return output;
}

Compiler::Output Compiler::set_node(const NodeView& node, const std::set<model::Name>& changed,
                                    const model::Store& store) {
  if (node == node_) return update(changed, store);
  node_ = node;
  std::set<model::Name> all = changed;
  for (const auto& [name, service] : store.services())
    all.insert(name);
  return update(all, store);
}

const std::set<std::string>& Compiler::ports_of(const model::Name& service) const {
  static const std::set<std::string> kNone;
  const auto it = ports_.find(service);
  return it == ports_.end() ? kNone : it->second;
}

std::vector<state::PortSpec> Compiler::compile_one(const model::Name& name, const model::Store& store,
                                                   Pending& pending) {
  Compiled compiled;
  if (const model::Service* service = store.service(name)) {
    ServiceSpec spec = compile_service(*service, store.slices_of(name), node_);
    compiled = {std::move(spec.ports), std::move(spec.problems)};
    give_up(name, compiled, pending);
    claim(*service, compiled, pending);
  } else {
    give_up(name, compiled, pending);
  }

  std::set<std::string> ports;
  for (const state::PortSpec& port : compiled.ports)
    ports.insert(port.name);
  if (ports.empty())
    ports_.erase(name);
  else
    ports_[name] = std::move(ports);
  if (compiled.problems.empty())
    problems_.erase(name);
  else
    problems_[name] = std::move(compiled.problems);
  return std::move(compiled.ports);
}

// Withdraws the claims on frontends that the service does not want any more. Whoever is next in line is compiled again.
void Compiler::give_up(const model::Name& service, const Compiled& keeps, Pending& pending) {
  state::AbiSet<lb_service_key> kept;
  for (const state::PortSpec& port : keeps.ports)
    for (const state::FrontendSpec& frontend : port.frontends)
      kept.insert(frontend.key);
  for (const lb_service_key& key : claimed_[service]) {
    const auto it = claims_.find(key);
    // Of a frontend that the service wants twice all claims went with the first.
    if (it == claims_.end()) continue;
    const bool owned = it->second.begin()->service == service;
    std::erase_if(it->second, [&](const Claim& claim) { return claim.service == service; });
    if (it->second.empty())
      claims_.erase(it);
    else if (owned && !kept.contains(key))
      pending.insert(it->second.begin()->service);
  }
  claimed_.erase(service);
}

// Claims every frontend of the service; those that somebody with precedence has are taken out of its specs again.
void Compiler::claim(const model::Service& service, Compiled& compiled, Pending& pending) {
  for (state::PortSpec& port : compiled.ports) {
    const Claim mine{service.created, service.name, port.name};
    std::erase_if(port.frontends, [&](const state::FrontendSpec& frontend) {
      Claims& claims = claims_[frontend.key];
      const auto before = claims.empty() ? std::nullopt : std::optional(*claims.begin());
      claims.insert(mine);
      claimed_[service.name].push_back(frontend.key);
      const Claim& owner = *claims.begin();
      if (owner == mine) {
        if (before && before->service != service.name) pending.insert(before->service);
        return false;
      }
      compiled.problems.push_back({"", "Service " + service.name.to_string(), "", state::describe(frontend.key),
                                   "is already used by Service " + owner.service.to_string()});
      return true;
    });
  }
  std::erase_if(compiled.ports, [](const state::PortSpec& port) { return port.frontends.empty(); });
}

}  // namespace fairlead::compile
