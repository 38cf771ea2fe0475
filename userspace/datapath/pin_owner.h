// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "userspace/util/result.h"

namespace fairlead::datapath {

// A pin directory is of one network namespace: its programs are on that one's devices, and whoever takes its maps over
// in another leaves them to forward by maps that nobody writes. So the directory says whose it is, by the cookie that
// the kernel gives a namespace once and never again until the next boot, which a bpf file system does not outlive.
enum class PinOwner {
  kUnknown,  // of a build that did not write it down
  kThisNamespace,
  kAnother,
};
Result<PinOwner> pin_owner(const std::string& pin_directory);

// Whether an lbd in this network namespace may take the pins. Where they say nothing, links on devices tell; where they
// are another's, it may if links show that its devices are gone, and the namespace with them.
Result<> check_pin_owner(const std::string& pin_directory);

// Writes down that they are this namespace's.
Result<> mark_pin_owner(const std::string& pin_directory);
Result<> unmark_pin_owner(const std::string& pin_directory);

}  // namespace fairlead::datapath
