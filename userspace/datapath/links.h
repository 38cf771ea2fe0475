// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "userspace/datapath/attachment.h"
#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace fairlead::datapath {

// Our bpf links: XDP programs, and tc programs where tcx is used. Each is pinned as
// "<pin directory>/links/<hook>-<ifindex>-<link id>", so it outlives the process. One that could not be pinned ends
// with its descriptor: nothing is left half made. Without a pin directory links are kept here and go with this.
class Links {
 public:
  explicit Links(std::string pin_directory) : pin_directory_(std::move(pin_directory)) {}

  // All of ours, whichever build pinned them and under whatever name; they are moved to where this one keeps them. What
  // holds no device of this network namespace, or cannot be looked at, is told without a device.
  std::vector<Attachment> read();

  Result<> create(const Attachment& attachment, int program);
  Result<> replace(const Attachment& attachment, int program) const;
  Result<> detach(const Attachment& attachment);

 private:
  std::vector<std::string> names() const;
  Fd open(const std::string& link) const;
  Attachment look_at(const std::string& link);
  Result<> keep(Fd link, const std::string& name);

  std::string pin_directory_;
  std::map<std::string, Fd> held_;
};

// Whether this kernel and this build have tcx, and links can be pinned; else tc programs are filters of clsact.
Means tc_means(const std::string& pin_directory);

}  // namespace fairlead::datapath
