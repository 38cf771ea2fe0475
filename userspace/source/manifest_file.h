// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "userspace/document/text_file.h"
#include "userspace/source/decode.h"

namespace fairlead::source {

// One file of manifests: the objects that it asks for, and what is wrong with it. While the file, or one object in it,
// cannot be understood, what it last said stays in force: of that object, and of those that are missing from the file
// now, because what cannot be understood may be where the file is cut off.
//
// Best replaced by renaming over it. A file written in place may be read half-written: cut off inside of an object it
// is taken for what it is, between two objects it cannot be told from a shorter file. An empty file is therefore taken
// for one that is about to be written.
class ManifestFile {
 public:
  struct Placed {
    Object value;
    std::string where;
  };
  using Objects = std::map<Key, Placed>;

  ManifestFile(std::filesystem::path path, std::size_t max_bytes);

  // Reads the file if it isn't the one (inode, time, size) that was read before, or if `surely`. Whether objects or
  // problems may have changed.
  bool refresh(bool surely);

  const Objects& objects() const { return objects_; }
  const std::vector<model::Problem>& problems() const { return problems_; }
  // Of what the file asks for objects() has not even an earlier version.
  const Unread& unread() const { return unread_; }

 private:
  void take(std::string_view text);
  void take(Decoded decoded);
  void keep(Decoded& decoded, const Item& item, Objects& objects);
  void keep_missing(Decoded& decoded, Objects& objects) const;
  void fail(const std::string& where, const std::string& message);

  std::filesystem::path path_;
  std::string name_;
  std::size_t max_bytes_;
  std::optional<document::FileStamp> stamp_;  // of what was read last; empty when the last try failed
  Objects objects_;
  std::vector<model::Problem> problems_;
  Unread unread_{true, {}};
};

}  // namespace fairlead::source
