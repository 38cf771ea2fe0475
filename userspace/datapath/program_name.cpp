// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/program_name.h"

#include <bpf/bpf.h>

#include "userspace/util/fd.h"

namespace fairlead::datapath {

std::optional<std::string> program_name(std::uint32_t id) {
  const Fd program(bpf_prog_get_fd_by_id(id));
  bpf_prog_info info{};
  __u32 length = sizeof(info);
  if (!program || bpf_obj_get_info_by_fd(program.get(), &info, &length)) return std::nullopt;
  return info.name;
}

std::optional<bool> is_program_of_ours(std::uint32_t id) {
  const auto name = program_name(id);
  if (!name) return std::nullopt;
  return *name == "lb_xdp" || *name == "lb_tc_ingress" || *name == "lb_tc_egress";
}

}  // namespace fairlead::datapath
