// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

#include "userspace/admin/health.h"
#include "userspace/daemon/metrics.h"
#include "userspace/daemon/sync.h"

namespace fairlead::daemon {

// What Sync wants to know about this node.
struct NodeState {
  compile::NodeView view;
  std::vector<state::NodeAddress> addresses;
  state::Devices::Content devices;  // that the programs are on
};

// Brings what the store holds into the maps when it changes, and whatever becomes due later. Health and metrics hear of
// each change when it is known and when it is in the maps.
class Programmer {
 public:
  struct Parts {
    model::Store& store;
    Sync& sync;
    admin::Health& health;
    Metrics& metrics;
    std::function<NodeState(const model::Node*)> node;  // the Node may be null
  };
  Programmer(boost::asio::io_context& io, Parts parts) : parts_(std::move(parts)), wakeup_(io) {}

  // The store has changed, or what it lacks.
  void changed(const source::Unread& unread);
  // What is known about this node, beside the store's Node, has changed.
  void node_changed();

 private:
  using Clock = Sync::Time::clock;

  void queued();
  void set_node(const std::set<model::Name>& services);
  void complete(Sync::Time began);
  void written();
  void schedule();

  Parts parts_;
  model::Store::Changed::Triggers unwritten_;  // of changes that are not in the maps yet
  boost::asio::steady_timer wakeup_;
};

}  // namespace fairlead::daemon
