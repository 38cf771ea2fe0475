// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/catalog.h"

#include <algorithm>

namespace fairlead::source {

void Catalog::set(const std::string& file, const ManifestFile::Objects& objects) {
  std::set<Key> keys;
  for (const auto& [key, placed] : objects) {
    claims_[key][file] = placed;
    keys.insert(key);
  }
  const std::set<Key> before = std::exchange(keys_of_[file], keys);
  for (const Key& key : before)
    if (!keys.contains(key)) claims_[key].erase(file);
  touched_.insert(before.begin(), before.end());
  touched_.insert(keys.begin(), keys.end());
  if (keys.empty()) keys_of_.erase(file);
}

bool Catalog::write_to(model::Store& store) {
  bool changed = false;
  for (const Key& key : std::exchange(touched_, {})) {
    const auto claims = claims_.find(key);
    const bool gone = claims->second.empty();
    changed |= write(key, gone ? Object() : claims->second.begin()->second.value, store);
    if (gone) claims_.erase(claims);
  }
  return changed;
}

bool Catalog::write(const Key& key, const Object& value, model::Store& store) const {
  if (key.kind->only_this_node && key.name.name != node_name_) return false;
  return value.empty() ? key.kind->remove(store, key.name) : key.kind->put(store, value);
}

std::vector<model::Problem> Catalog::problems() const {
  std::vector<model::Problem> problems;
  for (const auto& [key, claims] : claims_) {
    if (claims.empty()) continue;
    const std::string message = "is already in " + claims.begin()->second.where + ", which counts";
    for (auto loser = std::next(claims.begin()); loser != claims.end(); ++loser)
      problems.push_back({loser->second.where, key.to_string(), "", "", message});
  }
  return problems;
}

bool Catalog::has_nodes() const {
  return std::any_of(claims_.begin(), claims_.end(), [](const auto& claim) { return claim.first.kind == &kNode; });
}

}  // namespace fairlead::source
