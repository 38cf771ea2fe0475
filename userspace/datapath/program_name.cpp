// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/program_name.h"

#include <bpf/bpf.h>

#include <algorithm>

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

std::vector<std::uint32_t> maps_of_program(std::uint32_t id) {
  constexpr std::size_t kMostMaps = 64;  // a program of the kernel's cannot use more
  const Fd program(bpf_prog_get_fd_by_id(id));
  std::vector<std::uint32_t> maps(kMostMaps);
  bpf_prog_info info{};
  info.map_ids = reinterpret_cast<std::uintptr_t>(maps.data());
  info.nr_map_ids = kMostMaps;
  __u32 length = sizeof(info);
  if (!program || bpf_obj_get_info_by_fd(program.get(), &info, &length)) return {};
  maps.resize(std::min<std::size_t>(info.nr_map_ids, kMostMaps));
  return maps;
}

}  // namespace fairlead::datapath
