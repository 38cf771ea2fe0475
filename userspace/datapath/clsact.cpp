// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/clsact.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "userspace/datapath/filter_place.h"
#include "userspace/datapath/precedence.h"
#include "userspace/host/tc_filters.h"
#include "userspace/host/tc_qdiscs.h"

namespace fairlead::datapath {
namespace {

// The number of an empty chain; of those in use elsewhere most are small.
constexpr std::uint32_t kMark = 0xfa1;

constexpr Hook kHooks[] = {Hook::kTcIngress, Hook::kTcEgress};

bpf_tc_hook hook_of(const Attachment& attachment) {
  bpf_tc_hook hook{};
  hook.sz = sizeof(hook);
  hook.ifindex = attachment.ifindex;
  hook.attach_point = attachment.hook == Hook::kTcIngress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
  return hook;
}

Result<> put_filter(const std::string& operation, const Attachment& attachment, int program, std::uint32_t flags) {
  const bpf_tc_hook hook = hook_of(attachment);
  LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program, .flags = flags, .handle = kFilterHandle,
              .priority = kFilterPriority);
  const int error = bpf_tc_attach(&hook, &options);
  if (error == -EOPNOTSUPP)
    return Error{operation + " " + describe(attachment) + ": its filters are those of a shared block", EOPNOTSUPP};
  if (error) return step_error(operation, attachment, -error);
  return {};
}

Result<std::vector<host::TcFilter>> filters_of(int ifindex, Hook hook) {
  return host::tc_filters(ifindex, side_of(hook));
}

// On both sides of the device's qdisc.
Result<std::vector<host::TcFilter>> all_filters(int ifindex) {
  std::vector<host::TcFilter> all;
  for (const Hook hook : kHooks) {
    auto filters = filters_of(ifindex, hook);
    if (!filters) return filters.error();
    all.insert(all.end(), filters->begin(), filters->end());
  }
  return all;
}

bool has_ours(const std::vector<host::TcFilter>& filters) {
  return std::any_of(filters.begin(), filters.end(), is_ours);
}

Result<> read_side(int ifindex, const std::string& qdisc, Hook hook, Actual& actual) {
  const auto filters = filters_of(ifindex, hook);
  if (!filters) return filters.error();
  for (const host::TcFilter& filter : *filters)
    if (is_ours(filter)) actual.attachments.push_back({ifindex, hook, Means::kClsact, filter.program, ""});
  if (has_ours(*filters)) actual.filters_before[{ifindex, hook}] = filters_before_ours(*filters);
  if (const auto found = obstacle(ifindex, qdisc, hook, *filters)) actual.no_filters.try_emplace(ifindex, *found);
  return {};
}

// A qdisc of kind ingress may have a filter of ours, too: earlier builds took it for clsact. Asked for its egress it
// shows its ingress again. A process leaves one of ours without any where it is killed before the first is in it, or
// after the last has gone.
Result<> read_device(int ifindex, const std::string& qdisc, Actual& actual) {
  const std::size_t others = actual.attachments.size();
  for (const Hook hook : kHooks)
    if (hook == Hook::kTcIngress || qdisc == "clsact")
      if (auto read = read_side(ifindex, qdisc, hook, actual); !read) return read;
  if (actual.attachments.size() > others) return {};
  const auto ours = host::is_marked_clsact(ifindex, kMark);
  if (!ours) return ours.error();
  if (*ours) actual.unused_qdiscs.insert(ifindex);
  return {};
}

Result<> ensure_qdisc(int ifindex) {
  const auto qdiscs = host::tc_filter_qdiscs();
  if (!qdiscs) return qdiscs.error();
  return qdiscs->contains(ifindex) ? Result<>() : host::make_marked_clsact(ifindex, kMark);
}

}  // namespace

Result<Actual> read_filters() {
  const auto qdiscs = host::tc_filter_qdiscs();
  if (!qdiscs) return qdiscs.error();
  Actual actual;
  for (const auto& [ifindex, qdisc] : *qdiscs)
    if (auto read = read_device(ifindex, qdisc, actual); !read) return read.error();
  return actual;
}

Result<> attach_filter(const Attachment& attachment, int program) {
  if (auto ensured = ensure_qdisc(attachment.ifindex); !ensured) return ensured;
  auto put = put_filter("attach", attachment, program, 0);
  if (!put) leave_qdisc(attachment.ifindex).has_value();
  return put;
}

Result<> replace_filter(const Attachment& attachment, int program) {
  return put_filter("replace", attachment, program, BPF_TC_F_REPLACE);
}

// Where others have taken it off meanwhile, or the device has gone, there is nothing left to do.
Result<> detach_filter(const Attachment& attachment) {
  const bpf_tc_hook hook = hook_of(attachment);
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = kFilterHandle, .priority = kFilterPriority);
  const int error = bpf_tc_detach(&hook, &options);
  if (error) {
    const auto left = filters_of(attachment.ifindex, attachment.hook);
    if (!left || has_ours(*left)) return step_error("remove", attachment, -error);
  }
  return leave_qdisc(attachment.ifindex);
}

Result<> leave_qdisc(int ifindex) {
  const auto filters = all_filters(ifindex);
  if (!filters) return filters.error();
  if (has_ours(*filters)) return {};
  const auto ours = host::is_marked_clsact(ifindex, kMark);
  if (!ours) return ours.error();
  if (!*ours) return {};
  return filters->empty() ? host::remove_clsact(ifindex) : host::remove_clsact_mark(ifindex, kMark);
}

}  // namespace fairlead::datapath
