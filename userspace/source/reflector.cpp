// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/reflector.h"

#include <algorithm>
#include <utility>

#include "userspace/kube/api/json_text.h"
#include "userspace/kube/api/version.h"

namespace fairlead::source {

namespace json = boost::json;

Reflector::Reflector(const Kind& kind, model::Store& store, Handlers handlers)
    : kind_(kind), store_(store), handlers_(std::move(handlers)) {
}

Unread Reflector::unread() const {
  Unread unread{!has_listed_, {}};
  for (const auto& [name, lack] : lacking_)
    unread.merge(lack);
  return unread;
}

Reflector::Read Reflector::read(const json::value& object) const {
  Decoded decoded;
  decode_object(kind_, object, "", decoded);
  Read read;
  read.uid = kube::text_at(object, "/metadata/uid");
  read.name = {kind_.has_namespace ? kube::text_at(object, "/metadata/namespace") : "",
               kube::text_at(object, "/metadata/name")};
  read.ignored = decoded.ignored > 0;
  read.unread.anything = decoded.nameless > 0;
  if (!decoded.items.empty()) {
    read.value = std::move(decoded.items.front().value);
    read.unread = std::move(decoded.items.front().unread);
  }
  read.held.version = kube::text_at(object, "/metadata/resourceVersion");
  read.held.problems = std::move(decoded.problems);
  return read;
}

// Whether somebody may want to know.
bool Reflector::put(Read read) {
  Held& held = held_[read.name];
  held.version = std::move(read.held.version);
  const bool problems_changed = replace_problems(held.problems, std::move(read.held.problems), read.name, read.uid);
  const bool store_changed = store(read, held);
  if (held.stored || read.unread.empty())
    lacking_.erase(read.name);
  else
    lacking_[read.name] = read.unread;
  return store_changed || problems_changed;
}

bool Reflector::store(const Read& read, Held& held) {
  if (read.ignored) return std::exchange(held.stored, false) && kind_.remove(store_, read.name);
  if (read.value.empty()) return false;
  held.stored = true;
  return kind_.put(store_, read.value);
}

bool Reflector::remove(const model::Name& name) {
  const auto held = held_.find(name);
  if (held == held_.end()) return false;
  const bool problems_changed = replace_problems(held->second.problems, {}, name);
  held_.erase(held);
  lacking_.erase(name);
  return kind_.remove(store_, name) || problems_changed;
}

void Reflector::list_begun() {
  list_.clear();
}

void Reflector::listed(const json::value& object) {
  Read one = read(object);
  const model::Name name = one.name;
  // So that a list that says nothing new takes no memory for its objects.
  if (Object known = kind_.find(store_, name); known == one.value) one.value = std::move(known);
  list_.insert_or_assign(name, std::move(one));
}

void Reflector::list_complete() {
  std::vector<model::Name> gone;
  for (const auto& [name, held] : held_)
    if (!list_.contains(name)) gone.push_back(name);
  bool changed = !std::exchange(has_listed_, true);
  for (const model::Name& name : gone)
    changed |= remove(name);
  for (auto& [name, one] : list_)
    changed |= put(std::move(one));
  list_.clear();
  newest_.clear();
  if (changed) handlers_.changed();
}

// Events come in the order of their versions. One that is older than the newest of them has come before, or late; what
// it says is known unless nothing is held of its object, which may then have been deleted, or not.
bool Reflector::changed(Change change, const json::value& object) {
  Read one = read(object);
  const std::string& version = one.held.version;
  const bool late = !newest_.empty() && kube::is_older(version, newest_);
  const auto held = held_.find(one.name);
  const bool known = held != held_.end() && kube::is_older(version, held->second.version);
  if (known) return true;
  if (change == Change::kDeleted) {
    if (!late) newest_ = version;
    if (remove(one.name)) handlers_.changed();
    return true;
  }
  if (late && held == held_.end()) return false;
  if (!late) newest_ = version;
  if (put(std::move(one))) handlers_.changed();
  return true;
}

bool Reflector::replace_problems(std::vector<model::Problem>& before, std::vector<model::Problem> now,
                                 const model::Name& name, const std::string& uid) {
  const auto has = [](const std::vector<model::Problem>& all, const model::Problem& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  const std::vector<model::Problem> old = std::exchange(before, std::move(now));
  for (const model::Problem& problem : old)
    if (!has(before, problem)) handlers_.solved(problem);
  for (const model::Problem& problem : before)
    if (!has(old, problem)) handlers_.problem(problem, name, uid);
  return old != before;
}

}  // namespace fairlead::source
