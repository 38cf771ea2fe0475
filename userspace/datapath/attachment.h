// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "userspace/util/result.h"

namespace fairlead::datapath {

// Where on a device a program sees packets.
enum class Hook { kXdp, kTcIngress, kTcEgress };

// What holds it there: a link, or a filter of the device's clsact qdisc.
enum class Means { kXdpNative, kXdpGeneric, kTcx, kClsact };

// A program of ours on a device.
struct Attachment {
  int ifindex = 0;  // 0: a link without a device in this network namespace
  Hook hook = Hook::kXdp;
  Means means = Means::kXdpNative;
  std::uint32_t program = 0;  // id
  std::string link;           // what datapath::Links knows it by; filters have none

  bool operator==(const Attachment&) const = default;
};

// On the same hook of the same device by the same means, whatever program.
bool same_place(const Attachment& a, const Attachment& b);
bool contains_place(const std::vector<Attachment>& all, const Attachment& attachment);

// What there is.
struct Actual {
  std::vector<Attachment> attachments;
  std::map<int, Error> no_filters;  // devices whose qdisc cannot have filters of ours on both sides, and why
  std::map<std::pair<int, Hook>, std::vector<std::string>> filters_before;  // of others, running before ours; in words
  std::set<int> unused_qdiscs;  // devices whose clsact qdisc is ours, and has no filter of ours
  std::vector<Error> unknown;   // what could not be looked at, and so is left alone
};

struct Step {
  enum Action { kAttach, kReplace, kDetach };
  Action action;
  Attachment attachment;  // for kReplace: as it will be

  bool operator==(const Step&) const = default;
};

// What turns actual into desired. A program is replaced where it is if hook and means stay. The order leaves no packet
// unseen that one of ours sees before and after: what tc does comes first, because tc does all that XDP does; then
// what is not desired goes, a link of another XDP mode among it, which the kernel does not have beside the new one;
// XDP comes last.
std::vector<Step> diff(const std::vector<Attachment>& desired, const std::vector<Attachment>& actual);

// "XDP (native) on eth0", for logs.
std::string describe(const Attachment& attachment);

// Why it could not be attached, replaced or taken off. That the device has gone meanwhile is said in these words,
// whichever way the kernel does.
std::string why(int code);
Error step_error(const std::string& operation, const Attachment& attachment, int code);

}  // namespace fairlead::datapath
