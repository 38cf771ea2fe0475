// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/programmer.h"

#include <malloc.h>
#include <spdlog/spdlog.h>

namespace fairlead::daemon {
namespace {

using SystemClock = admin::Health::Time::clock;

}  // namespace

void Programmer::changed(bool complete) {
  const model::Store::Changed changed = parts_.store.take_changed();
  const auto began = Clock::now();
  for (const Family family : {Family::IPv4, Family::IPv6})
    parts_.health.queued(family, SystemClock::now());
  parts_.metrics.queued();
  parts_.metrics.count_changes(changed);
  if (changed.node)
    node_changed(changed.services);
  else
    parts_.sync.changed(changed.services, parts_.store, began);
  if (complete && !parts_.sync.completed()) this->complete(began);
  tell_health();
  parts_.metrics.synced(Clock::now() - began);
  if (!parts_.sync.has_pending_writes()) parts_.metrics.programmed(changed);
  schedule();
}

void Programmer::complete(Sync::Time began) {
  parts_.sync.complete(began);
  spdlog::info("in sync: {} service ports", parts_.sync.specs().size());
  // What reading the first lists took and nothing will take again.
  malloc_trim(0);
}

void Programmer::node_changed(const std::set<model::Name>& services) {
  const model::Node* node = parts_.store.node().get();
  parts_.health.set_node_eligible(!node || (!node->being_deleted && !node->to_be_deleted));
  const NodeState state = parts_.node(node);
  parts_.sync.set_devices(state.devices, Clock::now());
  parts_.sync.set_node(state.view, state.addresses, services, parts_.store, Clock::now());
  schedule();
}

void Programmer::tell_health() {
  if (parts_.sync.has_pending_writes()) return;
  for (const Family family : {Family::IPv4, Family::IPv6})
    parts_.health.updated(family, SystemClock::now());
}

void Programmer::schedule() {
  const auto next = parts_.sync.next_wakeup();
  if (!next) return;
  wakeup_.expires_at(*next);
  wakeup_.async_wait([this](auto error) {
    if (error) return;
    parts_.sync.tick(Clock::now());
    tell_health();
    schedule();
  });
}

}  // namespace fairlead::daemon
