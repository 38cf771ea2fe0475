// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "userspace/model/store.h"
#include "userspace/source/manifest_file.h"

namespace fairlead::source {

// The objects of several files, of which each counts once: the file whose name sorts first has it. Writes what has
// changed, and only that, to a store.
class Catalog {
 public:
  // Of the kinds of which only this node's counts.
  explicit Catalog(std::string node_name) : node_name_(std::move(node_name)) {}

  // What a file asks for from now on.
  void set(const std::string& file, const ManifestFile::Objects& objects);
  // Whether the store has changed.
  bool write_to(model::Store& store);

  // Objects that don't count because another file has them.
  std::vector<model::Problem> problems() const;
  // Any, this one or others.
  bool has_nodes() const;

 private:
  // By file name.
  using Claims = std::map<std::string, ManifestFile::Placed>;

  bool write(const Key& key, const Object& value, model::Store& store) const;

  std::string node_name_;
  std::map<Key, Claims> claims_;
  std::map<std::string, std::set<Key>> keys_of_;
  std::set<Key> touched_;  // since the last write
};

}  // namespace fairlead::source
