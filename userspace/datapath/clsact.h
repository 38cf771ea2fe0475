// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <utility>

#include "userspace/datapath/attachment.h"
#include "userspace/util/result.h"

namespace fairlead::datapath {

// Our programs as filters of clsact qdiscs. A qdisc is made where there is none, and goes with our last filter if
// nobody else's are in it; one that was there before us stays. That it was is remembered by a directory in the pin
// directory, "qdiscs/<ifindex>", because a qdisc says nothing of who made it. Without a pin directory none stays.
class Clsact {
 public:
  explicit Clsact(std::string pin_directory) : pin_directory_(std::move(pin_directory)) {}

  // All filters of ours in this network namespace, whichever build made them, and the devices that cannot have them.
  Result<Actual> read();

  Result<> attach(const Attachment& attachment, int program);
  static Result<> replace(const Attachment& attachment, int program);
  Result<> detach(const Attachment& attachment) const;

 private:
  Result<> ensure_qdisc(const Attachment& attachment);
  Result<> leave_qdisc(const Attachment& attachment) const;
  std::string marker(int ifindex) const;

  std::string pin_directory_;
  std::set<int> had_;  // devices that had filters of ours: where they are missing, somebody has removed them
};

}  // namespace fairlead::datapath
