// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/precedence.h"

#include <bpf/bpf.h>

#include <cstdint>

#include "userspace/datapath/filter_place.h"
#include "userspace/datapath/tcx.h"
#include "userspace/host/tc_filters.h"
#include "userspace/util/fd.h"

namespace fairlead::datapath {
namespace {

constexpr const char* kFollows = " and may end the chain: what it decides is not load balanced";

// "tcx program drop_all (id 7)". A classic filter has no id.
std::string described(const std::string& what, const std::string& name, std::uint32_t program) {
  return what + (name.empty() ? "" : " " + name) + (program ? " (id " + std::to_string(program) + ")" : "");
}

// Empty where it may not be asked, which takes CAP_SYS_ADMIN.
std::string name_of(std::uint32_t program) {
  const Fd fd(bpf_prog_get_fd_by_id(program));
  bpf_prog_info info{};
  __u32 length = sizeof(info);
  return fd && bpf_obj_get_info_by_fd(fd.get(), &info, &length) == 0 ? info.name : "";
}

Result<std::vector<std::string>> by_tcx(const Attachment& ours) {
  const auto programs = tcx_programs(ours.ifindex, ours.hook);
  if (!programs) return programs.error();
  std::vector<std::string> found;
  for (const std::uint32_t program : *programs) {
    if (program == ours.program) break;
    found.push_back(described("tcx program", name_of(program), program));
  }
  return found;
}

// The kernel shows them in the order in which they run. Of another chain than 0 are those that a filter jumps to.
Result<std::vector<std::string>> by_filter(const Attachment& ours) {
  const auto filters = host::tc_filters(ours.ifindex, side_of(ours.hook));
  if (!filters) return filters.error();
  std::vector<std::string> found;
  for (const host::TcFilter& filter : *filters) {
    if (is_ours(filter)) break;
    if (filter.chain == 0) found.push_back(described(filter.kind + " filter", filter.name, filter.program));
  }
  return found;
}

}  // namespace

Result<std::vector<std::string>> preceding(const Attachment& ours) {
  auto found = by_tcx(ours);
  if (!found) return found.error();
  // tcx as a whole comes before the qdisc's filters.
  if (ours.means == Means::kClsact) {
    const auto filters = by_filter(ours);
    if (!filters) return filters.error();
    found->insert(found->end(), filters->begin(), filters->end());
  }
  for (std::string& one : *found)
    one.insert(0, "the ").append(" runs before lbd's ").append(describe(ours)).append(kFollows);
  return found;
}

}  // namespace fairlead::datapath
