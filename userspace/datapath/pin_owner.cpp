// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/pin_owner.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>

#include "userspace/datapath/links.h"
#include "userspace/util/fd.h"

namespace fairlead::datapath {
namespace {

namespace fs = std::filesystem;

// A symbolic link that leads nowhere: to read it takes no capability, and it is written in one step.
std::string mark_path(const std::string& pin_directory) {
  return pin_directory + "/namespace";
}

Result<std::string> our_mark() {
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return make_error("open", "a Unix socket", errno);
  std::uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  if (getsockopt(socket.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size))
    return make_error("ask for", "the cookie of the network namespace", errno);
  return "cookie-" + std::to_string(cookie);
}

// Nothing where there is none.
Result<std::optional<std::string>> read_mark(const std::string& pin_directory) {
  std::error_code error;
  const fs::path mark = fs::read_symlink(mark_path(pin_directory), error);
  if (error == std::errc::no_such_file_or_directory) return std::optional<std::string>();
  if (error) return make_error("read the symbolic link", mark_path(pin_directory), error.value());
  return std::optional(mark.string());
}

Error not_ours(const std::string& pin_directory, const std::string& more) {
  return {pin_directory + " is of an lbd in another network namespace, whose devices its programs are on: " + more,
          EXDEV};
}

}  // namespace

Result<PinOwner> pin_owner(const std::string& pin_directory) {
  const auto read = read_mark(pin_directory);
  if (!read) return read.error();
  const std::optional<std::string>& mark = *read;
  if (!mark) return PinOwner::kUnknown;
  const auto ours = our_mark();
  if (!ours) return ours.error();
  return *mark == *ours ? PinOwner::kThisNamespace : PinOwner::kAnother;
}

Result<> check_pin_owner(const std::string& pin_directory) {
  const auto owner = pin_owner(pin_directory);
  if (!owner) return owner.error();
  if (*owner == PinOwner::kThisNamespace) return {};
  const Links::Whereabouts links = Links(pin_directory).whereabouts();
  const bool is_anothers = *owner == PinOwner::kAnother;
  if (links.elsewhere && (is_anothers || links.here.empty()))
    return not_ours(pin_directory, "run lbd there (nsenter --net, hostNetwork in a pod), or with another --bpffs-path");
  if (is_anothers && !links.unknown.empty()) return links.unknown.front();
  if (is_anothers && links.here.empty() && !links.nowhere)
    return not_ours(pin_directory, "run lbd there, or remove the directory if that namespace is gone");
  return {};
}

Result<> mark_pin_owner(const std::string& pin_directory) {
  const auto owner = pin_owner(pin_directory);
  if (!owner) return owner.error();
  if (*owner == PinOwner::kThisNamespace) return {};
  const auto ours = our_mark();
  if (!ours) return ours.error();
  if (auto removed = unmark_pin_owner(pin_directory); !removed) return removed;
  if (symlink(ours->c_str(), mark_path(pin_directory).c_str()))
    return make_error("make the symbolic link", mark_path(pin_directory), errno);
  return {};
}

Result<> unmark_pin_owner(const std::string& pin_directory) {
  const auto mark = read_mark(pin_directory);
  if (!mark) return mark.error();
  if (*mark && unlink(mark_path(pin_directory).c_str())) return make_error("remove", mark_path(pin_directory), errno);
  return {};
}

}  // namespace fairlead::datapath
