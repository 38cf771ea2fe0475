// SPDX-License-Identifier: Apache-2.0
#include "userspace/compile/compiler.h"

#include <algorithm>

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
  ServiceSpec spec;
  std::string created;
  if (const model::Service* service = store.service(name)) {
    spec = compile_service(*service, store.slices_of(name), node_);
    created = service->created;
  }
  claim(name, created, spec, pending);
  leave_to_owners(name, spec);

  std::set<std::string> ports;
  for (const state::PortSpec& port : spec.ports)
    ports.insert(port.name);
  if (ports.empty())
    ports_.erase(name);
  else
    ports_[name] = std::move(ports);
  if (spec.problems.empty())
    problems_.erase(name);
  else
    problems_[name] = std::move(spec.problems);
  return std::move(spec.ports);
}

std::optional<model::Name> Compiler::owner(const lb_service_key& frontend) const {
  const auto claims = claims_.find(frontend);
  return claims == claims_.end() ? std::nullopt : std::optional(claims->second.begin()->service);
}

// Makes the service's claims those on the frontends of its spec. Who has lost one by that, or has it now, is compiled
// again. Where nothing has changed hands nobody is: however often services come up, their claims change once.
void Compiler::claim(const model::Name& service, const std::string& created, const ServiceSpec& spec,
                     Pending& pending) {
  state::AbiMap<lb_service_key, std::optional<model::Name>> before;
  for (const lb_service_key& key : claimed_[service])
    before.try_emplace(key, owner(key));
  for (const state::PortSpec& port : spec.ports)
    for (const state::FrontendSpec& frontend : port.frontends)
      before.try_emplace(frontend.key, owner(frontend.key));

  withdraw(service);
  for (const state::PortSpec& port : spec.ports)
    for (const state::FrontendSpec& frontend : port.frontends) {
      claims_[frontend.key].insert({created, service, port.name});
      claimed_[service].push_back(frontend.key);
    }
  for (const auto& [key, loser] : before) {
    const auto heir = owner(key);
    if (heir == loser) continue;
    for (const auto& one : {loser, heir})
      if (one && *one != service) pending.insert(*one);
  }
}

void Compiler::withdraw(const model::Name& service) {
  for (const lb_service_key& key : claimed_[service]) {
    const auto claims = claims_.find(key);
    // Of a frontend that the service wants twice all claims went with the first.
    if (claims == claims_.end()) continue;
    std::erase_if(claims->second, [&](const Claim& claim) { return claim.service == service; });
    if (claims->second.empty()) claims_.erase(claims);
  }
  claimed_.erase(service);
}

// Takes out of the spec what somebody with precedence has.
void Compiler::leave_to_owners(const model::Name& service, ServiceSpec& spec) const {
  for (state::PortSpec& port : spec.ports)
    std::erase_if(port.frontends, [&](const state::FrontendSpec& frontend) {
      const Claim& first = *claims_.at(frontend.key).begin();
      if (first.service == service && first.port == port.name) return false;
      spec.problems.push_back({"", "Service " + service.to_string(), "", state::describe(frontend.key),
                               "is already used by Service " + first.service.to_string()});
      return true;
    });
  std::erase_if(spec.ports, [](const state::PortSpec& port) { return port.frontends.empty(); });
}

}  // namespace fairlead::compile
