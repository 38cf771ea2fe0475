// SPDX-License-Identifier: Apache-2.0
#include "userspace/compile/compiler.h"

#include <algorithm>
#include <utility>

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
  for (const std::string& port : output.remove)
    in_vain_.erase(port);
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

Compiler::Output Compiler::set_in_vain(const std::string& port, Frontends frontends, const model::Store& store) {
  Frontends& now = in_vain_[port];
  const Frontends before = std::exchange(now, std::move(frontends));
  Pending pending;
  for (const lb_service_key& frontend : before)
    if (!now.contains(frontend)) add_followers(port, frontend, pending);
  for (const lb_service_key& frontend : now)
    if (!before.contains(frontend)) add_followers(port, frontend, pending);
  if (now.empty()) in_vain_.erase(port);
  return update(pending, store);
}

// Those that come after the port's claim.
void Compiler::add_followers(const std::string& port, const lb_service_key& frontend, Pending& pending) const {
  const auto claims = claims_.find(frontend);
  if (claims == claims_.end()) return;
  auto claim = find(claims->second, port);
  if (claim == claims->second.end()) return;
  for (++claim; claim != claims->second.end(); ++claim)
    pending.insert(claim->service);
}

Compiler::Claims::const_iterator Compiler::find(const Claims& claims, const std::string& port) {
  return std::find_if(claims.begin(), claims.end(), [&](const Claim& claim) { return claim.port == port; });
}

const Compiler::Claim& Compiler::claim_of(const state::PortSpec& port) const {
  return *find(claims_.at(port.frontends.front().key), port.name);
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

bool Compiler::is_in_vain(const Claim& claim, const lb_service_key& frontend) const {
  const auto in_vain = in_vain_.find(claim.port);
  return in_vain != in_vain_.end() && in_vain->second.contains(frontend);
}

std::optional<Compiler::Claim> Compiler::owner(const lb_service_key& frontend) const {
  const auto claims = claims_.find(frontend);
  if (claims == claims_.end()) return std::nullopt;
  const auto first = std::find_if(claims->second.begin(), claims->second.end(),
                                  [&](const Claim& claim) { return !is_in_vain(claim, frontend); });
  return first == claims->second.end() ? std::nullopt : std::optional(*first);
}

// Makes the service's claims those on the frontends of its spec. Where one has another owner by that, all who want it
// are compiled again: who had it, who has it now, and who is told whose it is. Where nothing has changed hands nobody
// is: however often services come up, their claims change once.
void Compiler::claim(const model::Name& service, const std::string& created, const ServiceSpec& spec,
                     Pending& pending) {
  state::AbiMap<lb_service_key, std::optional<Claim>> before;
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
    if (owner(key) == loser || !claims_.contains(key)) continue;
    for (const Claim& claim : claims_.at(key))
      if (claim.service != service) pending.insert(claim.service);
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

// Who has the frontend and goes before this port, which wants it too; null: nobody.
const Compiler::Claim* Compiler::before(const std::string& port, const lb_service_key& frontend) const {
  for (const Claim& claim : claims_.at(frontend)) {
    if (claim.port == port) return nullptr;
    if (!is_in_vain(claim, frontend)) return &claim;
  }
  return nullptr;
}

// Takes out of the spec what somebody with precedence has.
void Compiler::leave_to_owners(const model::Name& service, ServiceSpec& spec) const {
  for (state::PortSpec& port : spec.ports)
    std::erase_if(port.frontends, [&](const state::FrontendSpec& frontend) {
      const Claim* first = before(port.name, frontend.key);
      if (!first) return false;
      spec.problems.push_back({"", "Service " + service.to_string(), "", state::describe(frontend.key),
                               "is already used by Service " + first->service.to_string()});
      return true;
    });
  std::erase_if(spec.ports, [](const state::PortSpec& port) { return port.frontends.empty(); });
}

}  // namespace fairlead::compile
