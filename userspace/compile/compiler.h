// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "userspace/compile/service.h"

namespace fairlead::compile {

// Turns services into what shall be in the maps: one port spec for each service port and family, named
// "namespace/name:port/PROTO/family". Pure: no time, no kernel, no log; the same store, node and frontends wanted in
// vain give the same specs whatever the order in which changes arrived.
//
// An address and port belong to one service. When two want it, the older one has it (then the one whose name sorts
// first), the other goes without that frontend and is told; it gets it when the owner goes, or has no room in the maps.
class Compiler {
 public:
  struct Output {
    std::vector<state::PortSpec> put;  // new or changed
    std::vector<std::string> remove;   // names that are gone
    std::set<model::Name> services;    // whose specs or problems were made anew
  };

  // Compiles these services anew, as the store has them now, and those that their frontends concern.
  Output update(const std::set<model::Name>& changed, const model::Store& store);
  // What is known about this node may have changed, and these services have: everything is compiled anew if the node
  // really has, once.
  Output set_node(const NodeView& node, const std::set<model::Name>& changed, const model::Store& store);

  // What a service port, by its name, wants in vain because it does not fit: the next in line has it as long as that is
  // so. Those that this concerns are compiled anew. It is forgotten when the port is gone.
  using Frontends = state::AbiSet<lb_service_key>;
  Output set_in_vain(const std::string& port, Frontends frontends, const model::Store& store);

  // What each service cannot have, and why. Services without problems are not in it.
  const std::map<model::Name, std::vector<model::Problem>>& problems() const { return problems_; }
  // Of a service: its port specs' names.
  const std::set<std::string>& ports_of(const model::Name& service) const;

  // Who wants a frontend, in the order of precedence.
  struct Claim {
    std::string created;
    model::Name service;
    std::string port;
    auto operator<=>(const Claim&) const = default;
  };
  // Of a port spec, as it was made last.
  const Claim& claim_of(const state::PortSpec& port) const;

 private:
  using Claims = std::set<Claim>;

  // Services still to be compiled in an update.
  using Pending = std::set<model::Name>;

  std::vector<state::PortSpec> compile_one(const model::Name& name, const model::Store& store, Pending& pending);
  bool is_in_vain(const Claim& claim, const lb_service_key& frontend) const;
  std::optional<Claim> owner(const lb_service_key& frontend) const;
  const Claim* before(const std::string& port, const lb_service_key& frontend) const;
  static Claims::const_iterator find(const Claims& claims, const std::string& port);
  void add_followers(const std::string& port, const lb_service_key& frontend, Pending& pending) const;
  void claim(const model::Name& service, const std::string& created, const ServiceSpec& spec, Pending& pending);
  void withdraw(const model::Name& service);
  void leave_to_owners(const model::Name& service, ServiceSpec& spec) const;

  NodeView node_;
  std::map<model::Name, std::set<std::string>> ports_;
  std::map<model::Name, std::vector<model::Problem>> problems_;
  state::AbiMap<lb_service_key, Claims> claims_;
  std::map<model::Name, std::vector<lb_service_key>> claimed_;  // by service: keys it has a claim on
  std::map<std::string, Frontends> in_vain_;                    // by port
};

}  // namespace fairlead::compile
