// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "userspace/datapath/attachment.h"
#include "userspace/datapath/clsact.h"
#include "userspace/datapath/links.h"

namespace fairlead::datapath {

// What the kernel has of ours on the devices of this network namespace, whichever build and process put it there, and
// the steps that change it.
class Attachments {
 public:
  explicit Attachments(const std::string& pin_directory) : links_(pin_directory) {}

  Result<Actual> read();
  // `program` is the descriptor of what is attached.
  Result<> attach(const Attachment& attachment, int program);
  Result<> replace(const Attachment& attachment, int program);
  Result<> detach(const Attachment& attachment);
  // One that no filter of ours is in.
  static Result<> leave_qdisc(int ifindex) { return datapath::leave_qdisc(ifindex); }

 private:
  Links links_;
};

// The devices of this network namespace that have a program of ours, by a link in the pin directory or by a filter,
// whichever build and process attached it. Only looks, so it needs no lock. What cannot be looked at is left out.
std::set<int> devices_with_programs(const std::string& pin_directory);

}  // namespace fairlead::datapath
