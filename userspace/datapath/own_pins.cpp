// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/own_pins.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "userspace/datapath/foreign_map.h"
#include "userspace/datapath/listing.h"
#include "userspace/datapath/pin_directory.h"
#include "userspace/datapath/pin_owner.h"
#include "userspace/datapath/pins.h"

namespace fairlead::datapath {
namespace {

namespace fs = std::filesystem;

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(fs::symlink_status(path, error));
}

// By another file system that is mounted there.
bool is_hidden(const fs::path& directory) {
  struct stat there{}, above{};
  return stat(directory.c_str(), &there) || stat(directory.parent_path().c_str(), &above) ||
         there.st_dev != above.st_dev;
}

// Earlier builds noted there, by a directory named after its number, which device had a qdisc that was not theirs.
bool is_note(const fs::path& path) {
  const std::string name = path.filename();
  return path.parent_path().filename() == "qdiscs" && name.find_first_not_of("0123456789") == name.npos;
}

class Remover {
 public:
  explicit Remover(OwnPins& result) : result_(result) {}

  // A directory that only lbds make, with what is in it.
  void remove_folder(const fs::path& folder) {
    std::error_code error;
    if (!fs::exists(fs::symlink_status(folder, error))) return;
    if (!is_folder(folder) || is_hidden(folder)) {
      result_.foreign.push_back(folder);
      return;
    }
    const std::size_t before = count_;
    for (const fs::path& entry : entries_of(folder))
      remove_entry(entry);
    if (fs::remove(folder, error))
      result_.removed.push_back(folder.string() + " and the " + std::to_string(count_ - before) + " entries in it");
    else if (count_ > before)
      result_.removed.push_back(std::to_string(count_ - before) + " entries of " + folder.string());
    if (error && error.value() != ENOTEMPTY) result_.left.push_back(make_error("remove", folder, error.value()));
  }

  // One of a build from before maps had layouts. Others may have given theirs such a name.
  void remove_version(const fs::path& directory) {
    const std::size_t before = count_;
    for (const fs::path& entry : entries_of(directory))
      if (const std::string name = entry.filename(); name == "maps" || name == "layouts" || name == "links")
        remove_folder(entry);
      else
        remove_entry(entry);
    std::error_code error;
    if (count_ > before && fs::remove(directory, error))
      result_.removed.push_back(directory);
    else if (count_ == before)
      result_.foreign.push_back(directory);
  }

 private:
  std::vector<fs::path> entries_of(const fs::path& directory) {
    auto entries = list(directory);
    if (entries) return *std::move(entries);
    result_.left.push_back(entries.error());
    return {};
  }

  void remove_entry(const fs::path& entry) {
    if (is_folder(entry) && !is_note(entry)) {
      result_.foreign.push_back(entry);
      return;
    }
    const auto removed = is_note(entry) ? remove_note(entry) : remove_pin(entry);
    if (!removed)
      result_.left.push_back(removed.error());
    else if (*removed)
      ++count_;
    else
      result_.foreign.push_back(entry);
  }

  static Result<bool> remove_note(const fs::path& entry) {
    std::error_code error;
    fs::remove(entry, error);
    if (error) return make_error("remove", entry, error.value());
    return true;
  }

  // False for what is not ours.
  static Result<bool> remove_pin(const fs::path& entry) {
    const std::string file = entry.filename();
    if (!file.starts_with("lb_")) return false;
    const bool is_description = entry.parent_path().filename() == "layouts";
    const auto removed = remove_map(entry, is_description ? kDescription : map_name(file));
    if (removed) return true;
    const bool is_foreign = removed.error().code == EINVAL || removed.error().code == EEXIST;
    return is_foreign ? Result<bool>(false) : removed.error();
  }

  OwnPins& result_;
  std::size_t count_ = 0;
};

}  // namespace

OwnPins remove_own_pins(const std::string& pin_directory) {
  OwnPins result;
  Remover remover(result);
  if (const auto earlier = versioned_directories(pin_directory); !earlier)
    result.left.push_back(earlier.error());
  else
    for (const std::string& directory : *earlier)
      remover.remove_version(directory);
  for (const char* name : {"links", "qdiscs", "maps", "layouts"})
    remover.remove_folder(pin_directory + "/" + name);
  if (const auto unmarked = unmark_pin_owner(pin_directory); !unmarked) result.left.push_back(unmarked.error());
  std::error_code error;
  if (fs::remove(pin_directory, error)) result.removed.push_back(pin_directory);
  // Not empty, or the file system's root: others use it too.
  if (error && error.value() != ENOTEMPTY && error.value() != EBUSY)
    result.left.push_back(make_error("remove", pin_directory, error.value()));
  return result;
}

}  // namespace fairlead::datapath
