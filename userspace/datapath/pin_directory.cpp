// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/pin_directory.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/vfs.h>

#include <cerrno>
#include <filesystem>

namespace fairlead::datapath {
namespace {

namespace fs = std::filesystem;

// The directory itself, or the nearest above it that exists.
fs::path nearest_existing(fs::path directory) {
  std::error_code error;
  while (directory.has_relative_path() && !fs::exists(directory, error))
    directory = directory.parent_path();
  return directory;
}

}  // namespace

Result<> make_pin_directory(const std::string& directory) {
  std::error_code error;
  const fs::path existing = nearest_existing(fs::absolute(directory, error));
  struct statfs file_system{};
  if (statfs(existing.c_str(), &file_system)) return make_error("look at", existing, errno);
  if (file_system.f_type != BPF_FS_MAGIC)
    return Error{directory + " is not on a bpf file system: mount -t bpf bpf /sys/fs/bpf", EINVAL};
  fs::create_directories(directory, error);
  if (error) return make_error("create", directory, error.value());
  return {};
}

Result<Fd> lock_pins(const std::string& pin_directory) {
  Fd directory(::open(pin_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return make_error("open", pin_directory, errno);
  if (::flock(directory.get(), LOCK_EX | LOCK_NB) == 0) return directory;
  if (errno != EWOULDBLOCK) return make_error("lock", pin_directory, errno);
  return Error{"lock " + pin_directory + ": another lbd is using it; stop that first", EBUSY};
}

std::string links_directory(const std::string& pin_directory) {
  return pin_directory + "/links";
}

std::vector<std::string> pinned_link_directories(const std::string& pin_directory) {
  if (pin_directory.empty()) return {};
  std::vector<std::string> directories{links_directory(pin_directory)};
  for (const std::string& earlier : versioned_directories(pin_directory))
    directories.push_back(earlier + "/links");
  return directories;
}

std::vector<std::string> versioned_directories(const std::string& pin_directory) {
  std::vector<std::string> directories;
  std::error_code error;
  for (fs::directory_iterator entry(pin_directory, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (name.size() > 1 && name[0] == 'v' && name.find_first_not_of("0123456789", 1) == name.npos)
      directories.push_back(entry->path());
  }
  return directories;
}

}  // namespace fairlead::datapath
