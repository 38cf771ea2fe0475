// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "userspace/model/endpoint_slice.h"
#include "userspace/model/node.h"
#include "userspace/model/service.h"

namespace fairlead::model {

// All objects that the proxy looks at, as last heard of. A source writes it, the compiler reads it; each object is
// immutable and replaced as a whole, so that whoever kept a pointer has a consistent object. Which services a write
// concerns is remembered until take_changed(): the cost of a change is the change's. Used on one thread.
class Store {
 public:
  using Services = std::map<Name, std::shared_ptr<const Service>>;
  using Slices = std::map<Name, std::shared_ptr<const EndpointSlice>>;

  // Whether something changed: objects that equal what is there change nothing.
  bool put(std::shared_ptr<const Service> service);
  bool put(std::shared_ptr<const EndpointSlice> slice);
  // Null when the node is gone, or was never there.
  bool set_node(std::shared_ptr<const Node> node);
  bool remove_service(const Name& name);
  bool remove_slice(const Name& name);

  const Services& services() const { return services_; }
  const Slices& slices() const { return slices_; }
  const std::shared_ptr<const Node>& node() const { return node_; }
  const Service* service(const Name& name) const;
  // Of one service, by slice name.
  const Slices& slices_of(const Name& service) const;

  struct Changed {
    std::set<Name> services;  // services that changed, came, went, or whose endpoints did
    bool node = false;
    std::uint64_t service_writes = 0;  // how many objects of each kind were written or removed
    std::uint64_t slice_writes = 0;
    // Of the slices that were written: when that began, elsewhere in the cluster.
    using Triggers = std::vector<std::pair<Family, std::chrono::system_clock::time_point>>;
    Triggers triggers;
    bool empty() const { return services.empty() && !node; }
  };
  Changed take_changed() { return std::exchange(changed_, {}); }

 private:
  bool detach(const Name& slice);

  Services services_;
  Slices slices_;
  std::map<Name, Slices> by_service_;
  std::shared_ptr<const Node> node_;
  Changed changed_;
};

}  // namespace fairlead::model
