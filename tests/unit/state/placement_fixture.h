// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "tests/support/specs.h"
#include "tests/support/tables.h"
#include "userspace/state/placement.h"

namespace fairlead::state {

using namespace std::chrono_literals;

// A placement with a clock that the test moves, and the maps that its deltas are written to.
class PlacementTest : public testing::Test {
 protected:
  static constexpr Limits kRoomy{64, 64, 32, 256, 1u << 16, 1u << 10};

  explicit PlacementTest(const Limits& limits = kRoomy) { start(limits, 1); }

  void start(const Limits& limits, std::uint32_t first_generation) {
    placement_ = std::make_unique<Placement>(limits, first_generation);
  }

  bool put(const PortSpec& spec) {
    const auto result = placement_->put(spec, now_);
    refusal_ = result ? "" : result.error().message;
    return bool(result);
  }
  void remove(const std::string& name) { placement_->remove(name, now_); }
  // Nobody's flows keep a backend that has left, unless has_flows_.
  void advance(Placement::Time::duration by) {
    now_ += by;
    placement_->tick(now_);
    if (!has_flows_) release_backends();
  }
  void release_backends() {
    std::set<std::uint32_t> slots;
    for (const auto& [slot, generation] : placement_->lingering_backends())
      slots.insert(slot);
    placement_->release_backends(slots, now_);
  }

  // Writes what has changed, and says how many writes that took.
  std::size_t commit() {
    const auto operations = pending();
    for (const Operation& operation : operations)
      apply(actual_, operation);
    return operations.size();
  }

  // The writes that commit() would make. Asked once, they are the caller's to make.
  std::vector<Operation> pending() {
    Touched touched = placement_->take_touched();
    if (std::exchange(compare_all_, false)) {
      touched.add_all(actual_);
      touched.add_all(desired());
    }
    return diff(desired(), actual_, touched, placement_->limits());
  }

  // A new daemon finds what the last one wrote, and forgets everything else.
  void restart(const Limits& limits = kRoomy, std::uint32_t first_generation = 1) {
    start(limits, first_generation);
    placement_->adopt(actual_);
    compare_all_ = true;
  }

  // Everything goes, and when all has rested nothing is left behind.
  void expect_clean_end() {
    for (const std::string& name : placement_->names())
      remove(name);
    placement_->set_node_addresses({});
    has_flows_ = false;
    advance(Placement::kRetireAfter);
    advance(Placement::kQuarantine);
    const auto lingering = placement_->lingering();
    placement_->release({lingering.begin(), lingering.end()});
    EXPECT_TRUE(test::same_tables(desired(), Tables{}));
    EXPECT_FALSE(placement_->next_tick());
    const Placement::Usage usage = placement_->usage();
    EXPECT_EQ(usage.service_ports, 0u);
    EXPECT_EQ(usage.backends, 0u);
    EXPECT_EQ(usage.ring_slots, 0u);
    EXPECT_EQ(usage.members, 0u);
    commit();
    EXPECT_TRUE(test::same_tables(actual_, Tables{}));
  }

  const Tables& desired() const { return placement_->desired(); }
  const lb_service& service(const lb_service_key& frontend) const { return desired().services.at(frontend); }

  // The slot of this endpoint, whichever port has it, or nothing.
  std::optional<std::uint32_t> slot(const lb_service_key& endpoint) const {
    for (const auto& [index, backend] : desired().backends)
      if (test::same_value(test::endpoint_of(backend), endpoint)) return index;
    return std::nullopt;
  }
  std::optional<std::uint32_t> generation(const lb_service_key& endpoint) const {
    const auto index = slot(endpoint);
    return index ? std::optional(desired().backends.at(*index).generation) : std::nullopt;
  }

  std::unique_ptr<Placement> placement_;
  Placement::Time now_{};
  bool has_flows_ = false;
  Tables actual_;
  bool compare_all_ = false;
  std::string refusal_;
};

}  // namespace fairlead::state
