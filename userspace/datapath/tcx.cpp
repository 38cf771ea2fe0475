// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/tcx.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <string>

namespace fairlead::datapath {
namespace {

// No device has more on either side.
constexpr std::size_t kMostPrograms = 64;

}  // namespace

bpf_attach_type tcx_type(Hook hook) {
  return hook == Hook::kTcIngress ? kTcxIngress : kTcxEgress;
}

Result<std::vector<std::uint32_t>> tcx_programs(int ifindex, Hook hook) {
  std::vector<std::uint32_t> programs(kMostPrograms);
  LIBBPF_OPTS(bpf_prog_query_opts, query);
  query.prog_ids = programs.data();
  query.prog_cnt = kMostPrograms;
  const bool known = bpf_prog_query_opts(ifindex, tcx_type(hook), &query) == 0;
  if (!known && errno != ENODEV && errno != EINVAL)
    return make_error("ask for the tc programs of", "device " + std::to_string(ifindex), errno);
  programs.resize(known ? query.prog_cnt : 0);
  return programs;
}

}  // namespace fairlead::datapath
