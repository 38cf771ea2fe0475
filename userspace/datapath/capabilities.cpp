// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/capabilities.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

namespace fairlead::datapath {
namespace {

struct Needed {
  unsigned capability;
  const char* name;
  bool is_of_admin;  // CAP_SYS_ADMIN will do
};
constexpr Needed kNeeded[] = {
    {CAP_BPF, "CAP_BPF", true}, {CAP_NET_ADMIN, "CAP_NET_ADMIN", false}, {CAP_PERFMON, "CAP_PERFMON", true}};

using Sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

bool has(const Sets& sets, unsigned capability) {
  return sets[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

}  // namespace

std::string missing_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  Sets sets{};
  if (syscall(SYS_capget, &header, sets.data())) return {};
  std::string missing;
  for (const Needed& needed : kNeeded) {
    if (has(sets, needed.capability) || (needed.is_of_admin && has(sets, CAP_SYS_ADMIN))) continue;
    missing += (missing.empty() ? "" : " and ") + std::string(needed.name);
  }
  return missing;
}

}  // namespace fairlead::datapath
