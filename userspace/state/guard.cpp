// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/guard.h"

#include <algorithm>

namespace fairlead::state {
namespace {

// How long the list of a write is; of one that removes a list, how long the list is that is there.
template <class To>
std::size_t length(const Write<To>& write, const Tables& actual) {
  if (write.value) return (*write.value)->size();
  const auto there = (actual.*To::kContent).find(write.key);
  return there == (actual.*To::kContent).end() ? 0 : there->second->size();
}

template <class Content>
bool is_equal(const Content& desired, const Content& actual, std::uint32_t offset) {
  const auto want = desired.find(offset), have = actual.find(offset);
  return want != desired.end() && have != actual.end() &&
         (want->second == have->second || *want->second == *have->second);
}

}  // namespace

Guard::Guard(const Tables& desired, const Tables& actual, const Services::Keys& failed)
    : desired_(desired), actual_(actual), held_(failed, actual), all_made_(failed.empty()) {
}

bool Guard::allows(const Operation& operation) const {
  return all_made_ || std::visit([this](const auto& write) { return allows(write); }, operation);
}

// Its flags may change; it is another backend when its generation does.
bool Guard::allows(const Write<ToBackends>& write) const {
  if (!held_.has_backend(write.key)) return true;
  const auto there = actual_.backends.find(write.key);
  return write.value && there != actual_.backends.end() && there->second.generation == write.value->generation;
}

bool Guard::allows(const Write<ToRings>& write) const {
  return !held_.has_ring(write.key, length(write, actual_));
}

bool Guard::allows(const Write<ToMembers>& write) const {
  return !held_.has_members(write.key, length(write, actual_));
}

void Guard::left_out(const Operation& operation) {
  all_made_ = false;
  if (const auto* write = std::get_if<Write<ToServices>>(&operation)) held_.add(write->key, actual_);
}

void Guard::made(const Operation& operation) {
  if (const auto* write = std::get_if<Write<ToServices>>(&operation)) held_.remove(write->key);
}

// Everything that the entry leads to.
bool Guard::is_there(const lb_service& entry) const {
  const auto name = actual_.names.find(entry.id);
  if (name == actual_.names.end() || name->second != desired_.names.at(entry.id)) return false;
  if (!entry.ring_slots) return true;
  if (!is_equal(desired_.rings, actual_.rings, entry.ring_offset) ||
      !is_equal(desired_.members, actual_.members, entry.member_offset))
    return false;
  const auto& members = *actual_.members.at(entry.member_offset);
  return std::all_of(members.begin(), members.end(), [&](std::uint32_t slot) {
    const auto backend = actual_.backends.find(slot);
    return backend != actual_.backends.end() && backend->second.generation == desired_.backends.at(slot).generation;
  });
}

}  // namespace fairlead::state
