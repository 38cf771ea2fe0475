// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/cleanup.h"

#include <bpf/libbpf.h>

#include <cerrno>

#include "userspace/datapath/attachments.h"
#include "userspace/datapath/links.h"
#include "userspace/datapath/namespace_lock.h"
#include "userspace/datapath/own_pins.h"
#include "userspace/datapath/patience.h"
#include "userspace/datapath/pin_directory.h"
#include "userspace/datapath/pin_owner.h"
#include "userspace/datapath/remaining.h"
#include "userspace/datapath/strays.h"

namespace fairlead::datapath {
namespace {

CleanUp refusal(const Error& error) {
  return {{}, {}, {error}};
}

Error stays(const std::string& place) {
  return {place + " is another lbd's of this network namespace, whose maps stay: --cleanup --bpffs-path " + place +
              " removes them",
          EXDEV};
}

void tell_of_others(const OtherPins& pins, CleanUp& result) {
  for (const std::string& place : pins.of_this_namespace)
    result.left.push_back(stays(place));
  for (const std::string& place : pins.of_others)
    result.remarks.push_back(place + " is another lbd's, perhaps in another network namespace, and stays");
}

void detach_all(Attachments& attachments, const Actual& actual, CleanUp& result) {
  for (const Step& step : diff({}, actual.attachments)) {
    // Its device may be gone by the time that it is detached from.
    const std::string what = describe(step.attachment);
    if (const auto detached = attachments.detach(step.attachment); detached)
      result.removed.push_back(what);
    else
      result.left.push_back(detached.error());
  }
  for (const int ifindex : actual.unused_qdiscs)
    if (const auto left = Attachments::leave_qdisc(ifindex); !left) result.left.push_back(left.error());
}

void remove_pins(const std::string& pin_directory, CleanUp& result) {
  const OwnPins pins = remove_own_pins(pin_directory);
  result.removed.insert(result.removed.end(), pins.removed.begin(), pins.removed.end());
  result.left.insert(result.left.end(), pins.left.begin(), pins.left.end());
  for (const std::string& path : pins.foreign)
    result.remarks.push_back(path + " is not an lbd's, and stays");
}

// A directory among the links is somebody else's, and was remarked on.
void note_unknown(const std::string& pin_directory, CleanUp& result) {
  const auto links = Links(pin_directory).read();
  for (const Error& unknown : links ? links->unknown : std::vector<Error>{links.error()})
    if (unknown.code != EISDIR) result.left.push_back(unknown);
  const std::vector<Error> remaining = remaining_programs();
  result.left.insert(result.left.end(), remaining.begin(), remaining.end());
}

}  // namespace

CleanUp clean_up(const std::string& path) {
  libbpf_set_print(nullptr);
  const auto pin_directory = resolve_pin_directory(path);
  if (!pin_directory) return refusal(pin_directory.error());
  const auto of_namespace = lock_network_namespace();
  if (!of_namespace) return refusal(of_namespace.error());
  const auto lock = lock_pins(*pin_directory);
  if (!lock && lock.error().code != ENOENT) return refusal(lock.error());
  if (lock)
    if (const auto owned = check_pin_owner(*pin_directory); !owned) return refusal(owned.error());
  const OtherPins others = other_pins(*pin_directory);  // before their links are moved
  Attachments attachments(*pin_directory);
  const auto actual = patiently([&] { return attachments.read(); });
  if (!actual) return refusal(actual.error());
  const Strays strays(*pin_directory, actual->attachments);
  CleanUp result;
  if (!lock) result.remarks.push_back(*pin_directory + ": no such directory, so no maps of an lbd to remove");
  detach_all(attachments, *actual, result);
  if (lock) remove_pins(*pin_directory, result);
  note_unknown(*pin_directory, result);
  tell_of_others(others, result);
  // Else it is said already what holds them.
  if (result.left.empty()) result.left = strays.remaining();
  return result;
}

}  // namespace fairlead::datapath
