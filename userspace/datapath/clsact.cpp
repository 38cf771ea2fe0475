// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/clsact.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "userspace/datapath/filter_place.h"
#include "userspace/datapath/pin_directory.h"
#include "userspace/host/tc_filters.h"
#include "userspace/host/tc_qdiscs.h"

namespace fairlead::datapath {
namespace {

namespace fs = std::filesystem;

constexpr Hook kHooks[] = {Hook::kTcIngress, Hook::kTcEgress};

bpf_tc_hook hook_of(const Attachment& attachment) {
  bpf_tc_hook hook{};
  hook.sz = sizeof(hook);
  hook.ifindex = attachment.ifindex;
  hook.attach_point = attachment.hook == Hook::kTcIngress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
  return hook;
}

Result<> put_filter(const Attachment& attachment, int program, std::uint32_t flags) {
  const bpf_tc_hook hook = hook_of(attachment);
  LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program, .flags = flags, .handle = kFilterHandle,
              .priority = kFilterPriority);
  const int error = bpf_tc_attach(&hook, &options);
  if (error == -EOPNOTSUPP)
    return Error{"attach " + describe(attachment) + ": its filters are those of a shared block", EOPNOTSUPP};
  if (error) return make_error("attach", describe(attachment), -error);
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

Result<> read_side(int ifindex, const std::string& qdisc, Hook hook, Actual& actual) {
  const auto filters = filters_of(ifindex, hook);
  if (!filters) return filters.error();
  for (const host::TcFilter& filter : *filters)
    if (is_ours(filter)) actual.attachments.push_back({ifindex, hook, Means::kClsact, filter.program, ""});
  if (const auto found = obstacle(ifindex, qdisc, hook, *filters)) actual.no_filters.try_emplace(ifindex, *found);
  return {};
}

// A qdisc of kind ingress may have a filter of ours, too: earlier builds took it for clsact. Asked for its egress it
// shows its ingress again.
Result<> read_device(int ifindex, const std::string& qdisc, Actual& actual) {
  for (const Hook hook : kHooks)
    if (hook == Hook::kTcIngress || qdisc == "clsact")
      if (auto read = read_side(ifindex, qdisc, hook, actual); !read) return read;
  return {};
}

}  // namespace

Result<Actual> Clsact::read() {
  const auto qdiscs = host::tc_filter_qdiscs();
  if (!qdiscs) return qdiscs.error();
  Actual actual;
  for (const auto& [ifindex, qdisc] : *qdiscs)
    if (auto read = read_device(ifindex, qdisc, actual); !read) return read.error();
  for (const Attachment& attachment : actual.attachments)
    had_.insert(attachment.ifindex);
  return actual;
}

std::string Clsact::marker(int ifindex) const {
  return pin_directory_ + "/qdiscs/" + std::to_string(ifindex);
}

Result<> Clsact::attach(const Attachment& attachment, int program) {
  if (auto ensured = ensure_qdisc(attachment); !ensured) return ensured;
  had_.insert(attachment.ifindex);
  return put_filter(attachment, program, 0);
}

Result<> Clsact::replace(const Attachment& attachment, int program) {
  return put_filter(attachment, program, BPF_TC_F_REPLACE);
}

// A qdisc without filters of ours is another's, unless we have just made it.
Result<> Clsact::ensure_qdisc(const Attachment& attachment) {
  bpf_tc_hook hook = hook_of(attachment);
  const int error = bpf_tc_hook_create(&hook);
  if (error && error != -EEXIST) return make_error("make a clsact qdisc for", describe(attachment), -error);
  if (pin_directory_.empty()) return {};
  std::error_code ignored;
  if (!error) fs::remove(marker(attachment.ifindex), ignored);
  if (!error || had_.contains(attachment.ifindex)) return {};
  const auto filters = all_filters(attachment.ifindex);
  if (!filters) return filters.error();
  if (std::any_of(filters->begin(), filters->end(), is_ours)) return {};
  return make_pin_directory(marker(attachment.ifindex));
}

Result<> Clsact::detach(const Attachment& attachment) const {
  const bpf_tc_hook hook = hook_of(attachment);
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = kFilterHandle, .priority = kFilterPriority);
  if (const int error = bpf_tc_detach(&hook, &options)) return make_error("remove", describe(attachment), -error);
  return leave_qdisc(attachment);
}

Result<> Clsact::leave_qdisc(const Attachment& attachment) const {
  const auto filters = all_filters(attachment.ifindex);
  if (!filters) return filters.error();
  if (std::any_of(filters->begin(), filters->end(), is_ours)) return {};
  std::error_code ignored;
  const bool was_there = !pin_directory_.empty() && fs::remove(marker(attachment.ifindex), ignored);
  const auto qdiscs = host::tc_filter_qdiscs();
  if (!qdiscs) return qdiscs.error();
  const auto qdisc = qdiscs->find(attachment.ifindex);
  if (was_there || !filters->empty() || qdisc == qdiscs->end() || qdisc->second != "clsact") return {};
  bpf_tc_hook hook = hook_of(attachment);
  hook.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
  if (const int error = bpf_tc_hook_destroy(&hook))
    return make_error("remove the clsact qdisc of", describe(attachment), -error);
  return {};
}

}  // namespace fairlead::datapath
