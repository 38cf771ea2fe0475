// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/tc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "userspace/host/netlink.h"
#include "userspace/util/fd.h"

#if LIBBPF_MAJOR_VERSION > 1 || (LIBBPF_MAJOR_VERSION == 1 && LIBBPF_MINOR_VERSION >= 3)
#define FAIRLEAD_HAVE_TCX 1
#else
#define FAIRLEAD_HAVE_TCX 0
#endif

namespace fairlead::datapath {
namespace {

// Our filters' place on the hook, by which a later daemon, or --cleanup, knows them.
constexpr std::uint32_t kHandle = 0xfa1;
constexpr std::uint32_t kPriority = 1;

bpf_tc_hook hook_of(int ifindex, TcDirection direction) {
  bpf_tc_hook hook{};
  hook.sz = sizeof(hook);
  hook.ifindex = ifindex;
  hook.attach_point = direction == TcDirection::kIngress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
  return hook;
}

const char* name_of(TcDirection direction) {
  return direction == TcDirection::kIngress ? "tc-ingress" : "tc-egress";
}

Result<> clsact_attach(const std::string& device, int ifindex, TcDirection direction, int program) {
  bpf_tc_hook hook = hook_of(ifindex, direction);
  if (const int error = bpf_tc_hook_create(&hook); error && error != -EEXIST)
    return make_error("make a clsact qdisc on", device, -error);
  LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program, .flags = BPF_TC_F_REPLACE, .handle = kHandle,
              .priority = kPriority);
  if (const int error = bpf_tc_attach(&hook, &options))
    return make_error(std::string("attach ") + name_of(direction) + " to", device, -error);
  return {};
}

// Filters on one side of the clsact qdisc; -1 where that cannot be told.
int count_filters(int ifindex, TcDirection direction) {
  tcmsg which{};
  which.tcm_family = AF_UNSPEC;
  which.tcm_ifindex = ifindex;
  which.tcm_parent = TC_H_MAKE(TC_H_CLSACT, direction == TcDirection::kIngress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
  int filters = 0;
  const auto dumped =
      host::netlink_dump(RTM_GETTFILTER, std::as_bytes(std::span(&which, 1)), [&](const nlmsghdr*) { ++filters; });
  return dumped ? filters : -1;
}

// Returns whether there was a filter of ours. libbpf complains on standard error where there is no qdisc to ask.
bool clsact_detach(int ifindex, TcDirection direction) {
  if (count_filters(ifindex, direction) == 0) return false;
  bpf_tc_hook hook = hook_of(ifindex, direction);
  LIBBPF_OPTS(bpf_tc_opts, found, .handle = kHandle, .priority = kPriority);
  if (bpf_tc_query(&hook, &found)) return false;
  LIBBPF_OPTS(bpf_tc_opts, gone, .handle = kHandle, .priority = kPriority);
  return bpf_tc_detach(&hook, &gone) == 0;
}

#if FAIRLEAD_HAVE_TCX
// False where the kernel does not know tcx: then clsact it is.
Result<bool> tcx_attach(const std::string& device, int ifindex, TcDirection direction, int program,
                        const std::string& links) {
  const std::string path = links + "/" + name_of(direction) + "-" + device;
  const Fd adopted(bpf_obj_get(path.c_str()));
  bpf_link_info info{};
  __u32 length = sizeof(info);
  if (adopted && !bpf_obj_get_info_by_fd(adopted.get(), &info, &length) && info.type == BPF_LINK_TYPE_TCX &&
      info.tcx.ifindex == static_cast<__u32>(ifindex)) {
    if (bpf_link_update(adopted.get(), program, nullptr))
      return make_error("replace the tcx program of", device, errno);
    return true;
  }
  std::error_code error;
  std::filesystem::create_directories(links, error);
  std::filesystem::remove(path, error);
  LIBBPF_OPTS(bpf_link_create_opts, options);
  const bpf_attach_type type = direction == TcDirection::kIngress ? BPF_TCX_INGRESS : BPF_TCX_EGRESS;
  const Fd link(bpf_link_create(program, ifindex, type, &options));
  if (!link) {
    if (errno == EINVAL || errno == EOPNOTSUPP) return false;
    return make_error(std::string("attach ") + name_of(direction) + " (tcx) to", device, errno);
  }
  if (bpf_obj_pin(link.get(), path.c_str())) return make_error("pin", path, errno);
  return true;
}
#endif

}  // namespace

Result<> tc_attach(const std::string& device, int ifindex, TcDirection direction, int program,
                   const std::string& links) {
#if FAIRLEAD_HAVE_TCX
  if (!links.empty()) {
    auto attached = tcx_attach(device, ifindex, direction, program, links);
    if (!attached) return attached.error();
    if (*attached) {
      // An earlier daemon may have used clsact.
      clsact_detach(ifindex, direction);
      return {};
    }
  }
#else
  static_cast<void>(links);
#endif
  return clsact_attach(device, ifindex, direction, program);
}

Result<> tc_detach_all(const std::string& device, int ifindex) {
  const bool ingress = clsact_detach(ifindex, TcDirection::kIngress),
             egress = clsact_detach(ifindex, TcDirection::kEgress);
  if (!ingress && !egress) return {};
  if (count_filters(ifindex, TcDirection::kIngress) != 0 || count_filters(ifindex, TcDirection::kEgress) != 0)
    return {};
  bpf_tc_hook hook = hook_of(ifindex, TcDirection::kIngress);
  hook.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
  if (const int error = bpf_tc_hook_destroy(&hook); error && error != -ENOENT && error != -EINVAL)
    return make_error("remove the clsact qdisc of", device, -error);
  return {};
}

}  // namespace fairlead::datapath
