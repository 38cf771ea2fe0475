// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/compile/objects.h"
#include "userspace/daemon/sync.h"

namespace fairlead::daemon {

using namespace std::chrono_literals;
using compile::At;

// Longer than anything that was given up rests.
constexpr auto kLong = state::Placement::kRetireAfter + state::Placement::kQuarantine + 1s;

// A daemon that may die and start again on what it has left in its maps.
class SyncRivals : public testing::Test {
 protected:
  void start(const state::Limits& limits, std::uint32_t first_generation = 1,
             std::optional<state::Tables> adopted = std::nullopt) {
    Sync::Maps maps{limits, first_generation, std::move(adopted), [](const auto&) { return Result<>(); }};
    sync_ = std::make_unique<Sync>(std::move(maps), [](const auto&...) {});
    sync_->set_node(compile::kNode, node_addresses_, {}, store_, now_);
    sync_->complete(store_, now_);
  }
  void restart() {
    const state::Placement& placement = sync_->placement();
    start(placement.limits(), placement.next_generation(), sync_->actual());
  }

  void put(const model::Service& service) { store_.put(std::make_shared<const model::Service>(service)); }
  void put_endpoints(const model::Name& service, const std::vector<At>& endpoints) {
    const model::Name slice{service.space, service.name + "-1"};
    if (endpoints.empty())
      store_.remove_slice(slice);
    else
      store_.put(compile::slice(endpoints, slice.name, service));
  }
  void remove(const model::Name& name) { store_.remove_service(name); }
  void apply() { sync_->changed(store_.take_changed().services, store_, now_); }

  // Does what becomes due meanwhile, when it becomes due.
  void advance(Sync::Time::duration by) {
    const auto end = now_ + by;
    for (auto next = sync_->next_wakeup(); next && *next <= end; next = sync_->next_wakeup()) {
      now_ = *next;
      sync_->tick(store_, now_);
    }
    now_ = end;
  }

  // The service port's that is served there; empty: nobody's.
  std::string owner(const lb_service_key& frontend) const {
    const state::Tables& tables = sync_->actual();
    const auto service = tables.services.find(frontend);
    return service == tables.services.end() ? "" : tables.names.at(service->second.id);
  }
  bool is_refused(const std::string& port) const { return sync_->refused().contains(port); }

  model::Store store_;
  std::vector<state::NodeAddress> node_addresses_;
  Sync::Time now_{1h};
  std::unique_ptr<Sync> sync_;
};

inline std::string port_of(const model::Name& service) {
  return service.to_string() + ":80/TCP/IPv4";
}

}  // namespace fairlead::daemon
