// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/pin_directory.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <regex>

#include "userspace/datapath/listing.h"

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

bool is_on_bpf(const fs::path& path) {
  struct statfs file_system{};
  return statfs(path.c_str(), &file_system) == 0 && file_system.f_type == BPF_FS_MAGIC;
}

Result<> check_on_bpf(const std::string& directory) {
  std::error_code error;
  const fs::path existing = nearest_existing(fs::absolute(directory, error));
  struct statfs file_system{};
  if (statfs(existing.c_str(), &file_system)) return make_error("look at", existing, errno);
  if (file_system.f_type == BPF_FS_MAGIC) return {};
  return Error{directory + " is not on a bpf file system: mount -t bpf bpf /sys/fs/bpf", EINVAL};
}

// Where the bpf file system is mounted that the directory is on, or would be; empty where it is not on one.
fs::path bpf_root(const std::string& directory) {
  std::error_code error;
  fs::path root = nearest_existing(fs::absolute(directory, error));
  if (!is_on_bpf(root)) return {};
  while (root.has_relative_path() && is_on_bpf(root.parent_path()))
    root = root.parent_path();
  return root;
}

bool is_version(const std::string& name) {
  return name.size() > 1 && name[0] == 'v' && name.find_first_not_of("0123456789", 1) == name.npos;
}

// Calls visit for what is in the bpf file system that the directory is on, a few levels deep.
template <class Visit>
void visit_all(const std::string& directory, Visit&& visit) {
  constexpr int kDeepest = 8;  // levels below the root
  const fs::path root = directory.empty() ? fs::path() : bpf_root(directory);
  if (root.empty()) return;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(root, fs::directory_options::skip_permission_denied, error), end;
       !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    const bool is_elsewhere = entry->is_directory(gone) && !is_on_bpf(entry->path());
    if (entry.depth() >= kDeepest || is_elsewhere) entry.disable_recursion_pending();
    visit(entry->path());
  }
}

}  // namespace

bool looks_like_link(const fs::path& path) {
  static const std::regex kName("(xdp|tc-ingress|tc-egress)-[0-9]+-[0-9]+");
  const fs::path directory = path.parent_path();
  return directory.filename() == "links" &&
         (is_version(directory.parent_path().filename()) || std::regex_match(path.filename().string(), kName));
}

bool holds_maps(const fs::path& directory) {
  const auto entries = list(directory);
  return !entries || std::ranges::any_of(
                         *entries, [](const fs::path& path) { return path.filename().string().starts_with("lb_"); });
}

Result<std::string> resolve_pin_directory(const std::string& directory) {
  if (directory.empty()) return directory;
  std::error_code error;
  fs::path resolved = fs::weakly_canonical(fs::absolute(directory, error), error);
  if (error) return make_error("resolve", directory, error.value());
  if (!resolved.has_filename()) resolved = resolved.parent_path();  // "there/"
  if (auto checked = check_on_bpf(resolved); !checked) return checked.error();
  return resolved.string();
}

Result<> make_pin_directory(const std::string& directory) {
  if (auto checked = check_on_bpf(directory); !checked) return checked;
  std::error_code error;
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

bool is_locked(const std::string& pin_directory, const Fd& lock) {
  struct stat there{}, locked{};
  return stat(pin_directory.c_str(), &there) == 0 && fstat(lock.get(), &locked) == 0 && there.st_dev == locked.st_dev &&
         there.st_ino == locked.st_ino;
}

std::string links_directory(const std::string& pin_directory) {
  return pin_directory + "/links";
}

std::vector<std::string> pinned_link_directories(const std::string& pin_directory) {
  if (pin_directory.empty()) return {};
  std::vector<std::string> directories{links_directory(pin_directory)};
  if (const auto earlier = versioned_directories(pin_directory); earlier)
    for (const std::string& directory : *earlier)
      directories.push_back(directory + "/links");
  return directories;
}

std::vector<std::string> links_of_others(const std::string& pin_directory) {
  const std::vector<std::string> ours = pinned_link_directories(pin_directory);
  std::vector<std::string> links;
  visit_all(pin_directory, [&](const fs::path& path) {
    if (looks_like_link(path) && std::ranges::find(ours, path.parent_path().string()) == ours.end())
      links.push_back(path);
  });
  return links;
}

std::vector<std::string> pin_directories_of_others(const std::string& pin_directory) {
  std::vector<std::string> ours{pin_directory}, directories;
  if (const auto earlier = versioned_directories(pin_directory); earlier)
    ours.insert(ours.end(), earlier->begin(), earlier->end());
  visit_all(pin_directory, [&](const fs::path& path) {
    const fs::path place = path.parent_path();
    const bool is_place = path.filename() == "maps" || is_version(path.filename());
    if (is_place && std::ranges::find(ours, place.string()) == ours.end() && holds_maps(path))
      directories.push_back(place);
  });
  return directories;
}

Result<std::vector<std::string>> versioned_directories(const std::string& pin_directory) {
  const auto entries = list(pin_directory);
  if (!entries) return entries.error();
  std::vector<std::string> directories;
  for (const fs::path& entry : *entries)
    if (is_version(entry.filename())) directories.push_back(entry);
  return directories;
}

}  // namespace fairlead::datapath
