// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/programmer.h"

#include <malloc.h>
#include <spdlog/spdlog.h>

#include "userspace/daemon/change_text.h"

namespace fairlead::daemon {
namespace {

using SystemClock = admin::Health::Time::clock;

}  // namespace

void Programmer::changed(const source::Unread& unread) {
  const auto began = Clock::now();
  const model::Store::Changed changed = parts_.store.take_changed();
  queued();
  parts_.metrics.count_changes(changed);
  unwritten_.insert(unwritten_.end(), changed.triggers.begin(), changed.triggers.end());
  parts_.sync.set_unread(unread);
  if (changed.node)
    set_node(changed.services);
  else
    parts_.sync.changed(changed.services, parts_.store, began);
  if (parts_.sync.may_complete()) complete(began);
  parts_.metrics.synced(Clock::now() - began);
  written();
}

void Programmer::node_changed() {
  queued();
  set_node({});
  written();
}

void Programmer::queued() {
  for (const Family family : {Family::IPv4, Family::IPv6})
    parts_.health.queued(family, SystemClock::now());
  parts_.metrics.queued();
}

void Programmer::set_node(const std::set<model::Name>& services) {
  const model::Node* node = parts_.store.node().get();
  parts_.health.set_node_eligible(!node || (!node->being_deleted && !node->to_be_deleted));
  const NodeState state = parts_.node(node);
  parts_.sync.set_devices(state.devices, Clock::now());
  parts_.sync.set_node(state.view, state.addresses, services, parts_.store, Clock::now());
}

void Programmer::complete(Sync::Time began) {
  const bool first = !parts_.sync.completed();
  parts_.sync.complete(parts_.store, began);
  if (!first) return;
  parts_.health.set_synced();
  spdlog::info("in sync: {}", counted(parts_.sync.specs().size(), "service port"));
  // What reading the first lists took and nothing will take again.
  malloc_trim(0);
}

// As much as could be: what failed is tried again.
void Programmer::written() {
  schedule();
  if (parts_.sync.has_pending_writes()) return;
  for (const Family family : {Family::IPv4, Family::IPv6})
    parts_.health.updated(family, SystemClock::now());
  parts_.metrics.programmed(std::exchange(unwritten_, {}));
}

void Programmer::schedule() {
  const auto next = parts_.sync.next_wakeup();
  if (!next) return;
  wakeup_.expires_at(*next);
  wakeup_.async_wait([this](auto error) {
    if (error) return;
    parts_.sync.tick(parts_.store, Clock::now());
    written();
  });
}

}  // namespace fairlead::daemon
