// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "userspace/datapath/attachment.h"
#include "userspace/util/fd.h"
#include "userspace/util/result.h"

struct bpf_link_info;

namespace fairlead::datapath {

// Our bpf links: XDP programs, and tc programs where tcx is used. Each is pinned as
// "<pin directory>/links/<hook>-<ifindex>-<link id>", so it outlives the process. One that could not be pinned ends
// with its descriptor: nothing is left half made. Without a pin directory links are kept here and go with this.
class Links {
 public:
  explicit Links(std::string pin_directory) : pin_directory_(std::move(pin_directory)) {}

  // All of ours, whichever build pinned them, under whatever name and how often; they are moved to where this one keeps
  // them. What is in the pin directory and holds no device of this network namespace is told without a device. What is
  // in the pin directory of another lbd is ours if it holds one, and so is what is pinned where it cannot be seen from
  // here, in another bpf file system for example, as far as the kernel lets us ask (CAP_SYS_ADMIN). An error: one could
  // not be looked at for a moment.
  Result<Actual> read();

  // Of the links in the pin directory, which are only looked at: the devices of this network namespace that they hold,
  // how many hold one of another, and how many none any more.
  struct Whereabouts {
    std::set<int> here;
    int elsewhere = 0, nowhere = 0;
    std::vector<Error> unknown;
  };
  Whereabouts whereabouts() const;

  Result<> create(const Attachment& attachment, int program);
  Result<> replace(const Attachment& attachment, int program) const;
  Result<> detach(const Attachment& attachment);

 private:
  using Ids = std::set<std::uint32_t>;
  enum class Where { kOurs, kElsewhere };  // in which pin directory

  std::vector<std::string> names(std::vector<Error>& unknown) const;
  void read_others(Actual& links, Ids& seen) const;
  void read_unseen(Actual& links, Ids& seen) const;
  Fd open(const std::string& link) const;
  bool is_ours(const std::string& link, Where where, const bpf_link_info& info) const;
  // Nothing where it has gone or is not ours.
  Result<std::optional<bpf_link_info>> identify(const std::string& link, Where where) const;
  // Nor is one of those that have been seen.
  Result<std::optional<Attachment>> look_at(const std::string& link, Where where, Ids& seen) const;
  std::filesystem::path proper_place(const Attachment& attachment, std::uint32_t id) const;
  std::string put_in_place(const std::string& link, const Attachment& attachment, std::uint32_t id) const;
  std::string pin_in_place(const Fd& link, const Attachment& attachment, std::uint32_t id) const;
  Result<> keep(Fd link, const std::string& name);

  std::string pin_directory_;
  std::map<std::string, Fd> held_;
};

// Whether this kernel and this build have tcx, and links can be pinned; else tc programs are filters of clsact.
Means tc_means(const std::string& pin_directory);

}  // namespace fairlead::datapath
