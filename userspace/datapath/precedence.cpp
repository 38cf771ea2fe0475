// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/precedence.h"

#include <cstdint>

#include "userspace/datapath/filter_place.h"
#include "userspace/datapath/program_name.h"
#include "userspace/datapath/tcx.h"

namespace fairlead::datapath {
namespace {

constexpr const char* kFollows = " and may end the chain: what it decides is not load balanced";

// "tcx program drop_all (id 7)". A classic filter has no id.
std::string described(const std::string& what, const std::string& name, std::uint32_t program) {
  return what + (name.empty() ? "" : " " + name) + (program ? " (id " + std::to_string(program) + ")" : "");
}

}  // namespace

Result<std::vector<std::string>> tcx_before(const Attachment& ours) {
  const auto programs = tcx_programs(ours.ifindex, ours.hook);
  if (!programs) return programs.error();
  std::vector<std::string> found;
  for (const std::uint32_t program : *programs) {
    if (program == ours.program) break;
    found.push_back(described("tcx program", program_name(program).value_or(""), program));
  }
  return found;
}

// The kernel shows them in the order in which they run. Of another chain than 0 are those that a filter jumps to.
std::vector<std::string> filters_before_ours(const std::vector<host::TcFilter>& filters) {
  std::vector<std::string> found;
  for (const host::TcFilter& filter : filters) {
    if (is_ours(filter)) break;
    if (filter.chain == 0) found.push_back(described(filter.kind + " filter", filter.name, filter.program));
  }
  return found;
}

std::string runs_before(const std::string& what, const Attachment& ours) {
  return "the " + what + " runs before lbd's " + describe(ours) + kFollows;
}

}  // namespace fairlead::datapath
