// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/daemon/host_watch.h"
#include "userspace/daemon/inspection/inspection.h"
#include "userspace/daemon/periodic.h"
#include "userspace/daemon/programmer.h"
#include "userspace/daemon/upkeep.h"
#include "userspace/daemon/way_checks.h"

namespace fairlead::daemon {

// Everything that stands on the maps: the programs on this node's devices, what keeps the maps equal to the store, and
// what tells of them. The store and the source outlive it.
class Forwarding {
 public:
  struct Parts {
    boost::asio::io_context& io;
    const Options& options;
    model::Store& store;
    source::Source& source;
    const Endpoints& endpoints;
  };
  // Loads the object, and takes over what an earlier daemon pinned. Whether there is a device to attach to is looked at
  // first.
  static Result<std::unique_ptr<Forwarding>> load(const Parts& parts);

  // Attaches the programs. Packets are forwarded as the maps say from now on.
  Result<> start();
  // The source has changed the store.
  void store_changed() { programmer_.changed(parts_.source.unread()); }

  const admin::Inspector& inspection() const { return inspection_; }
  const admin::Health& health() const { return health_; }
  const Metrics& metrics() const { return metrics_; }

 private:
  // What there is before a forwarding is made of it.
  struct Loaded {
    Fd lock;
    std::unique_ptr<datapath::Object> object;
    host::Host host;
    host::RouteLookup routes;
  };
  static Result<Loaded> load_parts(const Parts& parts);
  Forwarding(const Parts& parts, Loaded loaded);
  void check_attachments();
  void finish_upgrade();
  void remark(const model::Name& service, const std::string& reason, const std::string& message);
  NodeState node_state(const model::Node* node);

  Parts parts_;
  Fd lock_;  // on the network namespace
  std::unique_ptr<datapath::Object> object_;
  NodeNetwork network_;
  Sync sync_;
  Ways ways_;
  WayChecks way_checks_;
  Upkeep upkeep_;
  admin::Health health_;
  Inspection inspection_;
  Metrics metrics_;
  Programmer programmer_;
  HostWatch host_;
  Periodic attachments_;
};

}  // namespace fairlead::daemon
