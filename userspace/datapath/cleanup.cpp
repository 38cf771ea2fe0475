// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/cleanup.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "userspace/datapath/attachments.h"
#include "userspace/datapath/links.h"
#include "userspace/datapath/namespace_lock.h"
#include "userspace/datapath/pin_directory.h"

namespace fairlead::datapath {
namespace {

namespace fs = std::filesystem;

// A link that was pinned elsewhere: what else is there is not removed.
void remark_on_place(const std::string& link, const std::string& pin_directory, CleanUp& result) {
  const fs::path place = fs::path(link).parent_path().parent_path();
  if (!place.is_absolute() || place == pin_directory) return;
  const std::string remark =
      place.string() + " is another lbd's, whose maps stay: --cleanup --bpffs-path " + place.string() + " removes them";
  if (std::ranges::find(result.remarks, remark) == result.remarks.end()) result.remarks.push_back(remark);
}

void detach_all(const std::string& pin_directory, CleanUp& result) {
  Attachments attachments(pin_directory);
  const auto actual = attachments.read();
  if (!actual) {
    result.left.push_back(actual.error());
    return;
  }
  for (const Step& step : diff({}, actual->attachments)) {
    // Its device may be gone by the time that it is detached from.
    const std::string what = describe(step.attachment);
    remark_on_place(step.attachment.link, pin_directory, result);
    if (const auto detached = attachments.detach(step.attachment); detached)
      result.removed.push_back(what);
    else
      result.left.push_back(detached.error());
  }
  for (const int ifindex : actual->unused_qdiscs)
    if (const auto left = Attachments::leave_qdisc(ifindex); !left) result.left.push_back(left.error());
}

// Only what we make: the directory may hold other things, if it is one of the operator's.
void remove_pins(const std::string& pin_directory, CleanUp& result) {
  std::vector<std::string> ours = versioned_directories(pin_directory);
  // "qdiscs" is of earlier builds, which wrote down there what was not theirs.
  for (const char* name : {"links", "qdiscs", "maps", "layouts"})
    ours.push_back(pin_directory + "/" + name);
  for (const std::string& directory : ours) {
    std::error_code error;
    const auto entries = fs::remove_all(directory, error);
    if (error)
      result.left.push_back(make_error("remove", directory, error.value()));
    else if (entries)
      result.removed.push_back(directory + " and the " + std::to_string(entries - 1) + " entries in it");
  }
  std::error_code error;
  if (fs::remove(pin_directory, error)) result.removed.push_back(pin_directory);
  // Not empty, or the file system's root: others use it too.
  if (error && error.value() != ENOTEMPTY && error.value() != EBUSY)
    result.left.push_back(make_error("remove", pin_directory, error.value()));
}

// What could not be looked at has gone with its pin, unless that is in another directory.
void note_unknown(const std::string& pin_directory, CleanUp& result) {
  const Actual links = Links(pin_directory).read();
  result.left.insert(result.left.end(), links.unknown.begin(), links.unknown.end());
}

}  // namespace

CleanUp clean_up(const std::string& pin_directory) {
  CleanUp result;
  libbpf_set_print(nullptr);
  const auto of_namespace = lock_network_namespace();
  if (!of_namespace) return {{}, {}, {of_namespace.error()}};
  const auto lock = lock_pins(pin_directory);
  if (!lock && lock.error().code != ENOENT) return {{}, {}, {lock.error()}};
  if (!lock) result.remarks.push_back(pin_directory + ": no such directory, so no maps of an lbd to remove");
  detach_all(pin_directory, result);
  if (lock) remove_pins(pin_directory, result);
  note_unknown(pin_directory, result);
  return result;
}

}  // namespace fairlead::datapath
