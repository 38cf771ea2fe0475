// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "userspace/daemon/options/options.h"
#include "userspace/daemon/uplinks.h"
#include "userspace/host/host.h"
#include "userspace/model/node.h"
#include "userspace/state/port_spec.h"

namespace fairlead::daemon {

// This node's devices and addresses: which devices the programs are on, and what the datapath has to know of them.
class NodeNetwork {
 public:
  NodeNetwork(datapath::Object& object, const Options& options, host::Host host);

  // Attaches to the devices that are asked for, and to no others. One that cannot be had is a problem, all of them an
  // error.
  Result<> attach() { return uplinks_.start(host_); }
  // Puts back what others have taken off, and tries again what could not be had. The kernel does not tell of all such
  // changes, of a link that is detached for one, so this is to be called now and then, with the devices that are on the
  // way to backends elsewhere. Returns whether something has changed.
  bool check_attachments(std::set<int> ways);
  // The Node, which may be null, has changed.
  void set_node(const model::Node* node);

  int fd() const { return host_.fd(); }
  struct Changes {
    bool addresses = false;
  };
  // Reads notifications; raises the datapath's route epoch when cached next hops may be wrong.
  Result<Changes> read();
  void confirm_neighbours() const;

  // Addresses of this node, and which of them serve NodePorts. `node` may be null.
  std::vector<state::NodeAddress> node_addresses(const model::Node* node) const;
  std::set<Address> host_addresses() const { return host_.addresses(); }
  std::map<std::string, Attached> attached() const { return uplinks_.attached(host_); }
  // Whether programs of earlier daemons are attached yet, which forward by the maps of their build.
  bool has_earlier_programs() const { return uplinks_.has_earlier_programs(); }
  const std::set<std::string>& problems() const { return uplinks_.problems(); }
  // What the programs need to send through the devices that they are on.
  state::Devices::Content device_table(const SourceOf& source_of) const { return uplinks_.table(host_, source_of); }
  // Another number whenever ways may lead elsewhere, or from another address, than before.
  std::uint64_t route_changes() const { return route_changes_; }
  std::vector<Address> addresses_of(int ifindex) const;
  std::string name_of(int ifindex) const;
  const host::Host& host() const { return host_; }

 private:
  std::set<Address> nodeport_addresses(const model::Node* node) const;
  std::set<Address> primary_addresses(const model::Node* node) const;

  datapath::Object* object_;
  const Options* options_;
  host::Host host_;
  Uplinks uplinks_;
  Wanted wanted_;
  std::uint64_t route_changes_ = 0;
};

}  // namespace fairlead::daemon
