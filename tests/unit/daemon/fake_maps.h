// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/tables.h"
#include "userspace/daemon/sync.h"

namespace fairlead::daemon {

// The maps as the kernel has them: rings and members lie in arenas, where a write can go over another's. After each
// write it looks whether every entry of lb_services still leads to what was there when it was published.
class FakeMaps {
 public:
  static constexpr state::Limits kLimits{32, 32, 16, 64, 8 * LB_RING_MIN_SLOTS, 64};

  // Whether a write, of which it is the nth, fails.
  std::function<bool(std::size_t n, const state::Operation&)> fails = [](auto...) { return false; };

  Sync::Maps for_sync() {
    Sync::Maps maps;
    maps.limits = kLimits;
    maps.write = [this](const state::Operation& operation) { return write(operation); };
    return maps;
  }

  std::size_t writes() const { return writes_; }
  std::size_t failures() const { return failures_; }

  // The same content, as far as it is followed: what lies between in the arenas has no meaning.
  testing::AssertionResult holds(const state::Tables& tables) const {
    state::Tables followed = tables_;
    for (const auto& [offset, ring] : tables.rings)
      followed.rings[offset] = std::make_shared<const std::vector<std::uint16_t>>(slice(rings_, offset, ring->size()));
    for (const auto& [offset, list] : tables.members)
      followed.members[offset] =
          std::make_shared<const std::vector<std::uint32_t>>(slice(members_, offset, list->size()));
    return test::same_tables(followed, tables);
  }

 private:
  // What an entry led to when it was written.
  struct Published {
    std::string name;
    std::vector<std::uint16_t> ring;
    std::vector<std::uint32_t> members;
    std::vector<std::uint32_t> generations;
    bool operator==(const Published&) const = default;
  };

  Result<> write(const state::Operation& operation) {
    if (fails(++writes_, operation)) {
      ++failures_;
      return Error{"the kernel does not want to", EIO};
    }
    if (is_full(operation)) {
      ++failures_;
      return Error{"Argument list too long", E2BIG};
    }
    std::visit([this](const auto& write) { apply(write); }, operation);
    for (const auto& [frontend, published] : published_)
      EXPECT_TRUE(follow(tables_.services.at(frontend)) == published)
          << state::describe(operation) << " changes what " << state::describe(frontend) << " leads to";
    return {};
  }

  // As hash maps are.
  bool is_full(const state::Operation& operation) const {
    state::Tables after;
    after.services = tables_.services;
    after.addresses = tables_.addresses;
    state::apply(after, operation);
    return after.services.size() > kLimits.frontends || after.addresses.size() > kLimits.addresses;
  }

  template <class To>
  void apply(const state::Write<To>& write) {
    state::apply(tables_, state::Operation(write));
  }
  void apply(const state::Write<state::ToRings>& write) {
    if (write.value) std::copy((*write.value)->begin(), (*write.value)->end(), rings_.begin() + write.key);
  }
  void apply(const state::Write<state::ToMembers>& write) {
    if (write.value) std::copy((*write.value)->begin(), (*write.value)->end(), members_.begin() + write.key);
  }
  void apply(const state::Write<state::ToServices>& write) {
    state::apply(tables_, state::Operation(write));
    published_.erase(write.key);
    if (write.value) published_[write.key] = publish(write.key, *write.value);
  }

  Published publish(const lb_service_key& frontend, const lb_service& service) const {
    const Published published = follow(service);
    EXPECT_NE(published.name, "") << state::describe(frontend) << " has no name";
    for (const std::uint16_t member : published.ring)
      EXPECT_LT(member, service.member_count) << state::describe(frontend);
    for (const std::uint32_t generation : published.generations)
      EXPECT_NE(generation, 0u) << state::describe(frontend) << " has a member that is not there";
    return published;
  }

  Published follow(const lb_service& service) const {
    Published published;
    if (const auto name = tables_.names.find(service.id); name != tables_.names.end()) published.name = name->second;
    published.ring = slice(rings_, service.ring_offset, service.ring_slots);
    published.members = slice(members_, service.member_offset, service.member_count);
    for (const std::uint32_t slot : published.members) {
      const auto backend = tables_.backends.find(slot);
      const bool ours = backend != tables_.backends.end() && backend->second.service_id == service.id;
      published.generations.push_back(ours ? backend->second.generation : 0);
    }
    return published;
  }

  template <class T>
  static std::vector<T> slice(const std::vector<T>& arena, std::uint32_t offset, std::size_t size) {
    return {arena.begin() + offset, arena.begin() + static_cast<std::ptrdiff_t>(offset + size)};
  }

  std::size_t writes_ = 0, failures_ = 0;
  state::Tables tables_;  // without rings and members
  std::vector<std::uint16_t> rings_ = std::vector<std::uint16_t>(kLimits.ring_slots, 0xffff);
  std::vector<std::uint32_t> members_ = std::vector<std::uint32_t>(kLimits.members, 0xffffffff);
  state::AbiMap<lb_service_key, Published> published_;
};

}  // namespace fairlead::daemon
