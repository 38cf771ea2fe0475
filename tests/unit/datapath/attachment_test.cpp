// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/attachment.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace fairlead::datapath {
namespace {

using Attachments = std::vector<Attachment>;
using Steps = std::vector<Step>;

constexpr std::uint32_t kOld = 10, kNew = 20;

Attachment xdp(Means means, std::uint32_t program, const std::string& link = "") {
  return {2, Hook::kXdp, means, program, link};
}
Attachment tc(Hook hook, Means means, std::uint32_t program, const std::string& link = "") {
  return {2, hook, means, program, link};
}
Attachment on(int ifindex, Attachment attachment) {
  attachment.ifindex = ifindex;
  return attachment;
}

const Attachment kIngress = tc(Hook::kTcIngress, Means::kClsact, kNew),
                 kEgress = tc(Hook::kTcEgress, Means::kClsact, kNew);
const Attachment kNative = xdp(Means::kXdpNative, kNew), kGeneric = xdp(Means::kXdpGeneric, kNew);

struct Row {
  const char* what;
  Attachments desired, actual;
  Steps steps;
};

const Row kRows[] = {
    {"nothing, and nothing desired", {}, {}, {}},
    {"nothing yet: tc first",
     {kNative, kIngress, kEgress},
     {},
     {{Step::kAttach, kIngress}, {Step::kAttach, kEgress}, {Step::kAttach, kNative}}},
    {"all as it should be", {kIngress, kNative}, {xdp(Means::kXdpNative, kNew, "a"), kIngress}, {}},
    {"another program is replaced by the link that holds it",
     {kNative},
     {xdp(Means::kXdpNative, kOld, "a")},
     {{Step::kReplace, xdp(Means::kXdpNative, kNew, "a")}}},
    {"another mode: tc is there when the old link goes, and the new one comes after it",
     {kGeneric, kIngress},
     {xdp(Means::kXdpNative, kOld, "a")},
     {{Step::kAttach, kIngress}, {Step::kDetach, xdp(Means::kXdpNative, kOld, "a")}, {Step::kAttach, kGeneric}}},
    {"XDP not desired",
     {kIngress},
     {xdp(Means::kXdpNative, kOld, "a"), tc(Hook::kTcIngress, Means::kClsact, kOld)},
     {{Step::kReplace, kIngress}, {Step::kDetach, xdp(Means::kXdpNative, kOld, "a")}}},
    {"from clsact to tcx: both for a moment rather than none",
     {tc(Hook::kTcIngress, Means::kTcx, kNew)},
     {tc(Hook::kTcIngress, Means::kClsact, kOld)},
     {{Step::kAttach, tc(Hook::kTcIngress, Means::kTcx, kNew)},
      {Step::kDetach, tc(Hook::kTcIngress, Means::kClsact, kOld)}}},
    {"and back",
     {kIngress},
     {tc(Hook::kTcIngress, Means::kTcx, kOld, "a")},
     {{Step::kAttach, kIngress}, {Step::kDetach, tc(Hook::kTcIngress, Means::kTcx, kOld, "a")}}},
    {"two links in one place: the first is kept",
     {tc(Hook::kTcIngress, Means::kTcx, kNew)},
     {tc(Hook::kTcIngress, Means::kTcx, kNew, "a"), tc(Hook::kTcIngress, Means::kTcx, kOld, "b")},
     {{Step::kDetach, tc(Hook::kTcIngress, Means::kTcx, kOld, "b")}}},
    {"a device that is not desired loses all",
     {kIngress},
     {on(3, kNative), on(3, kIngress), on(3, kEgress), kIngress},
     {{Step::kDetach, on(3, kNative)}, {Step::kDetach, on(3, kIngress)}, {Step::kDetach, on(3, kEgress)}}},
    {"a link without a device goes first",
     {kIngress, kNative},
     {on(0, xdp(Means::kXdpNative, 0, "a"))},
     {{Step::kDetach, on(0, xdp(Means::kXdpNative, 0, "a"))}, {Step::kAttach, kIngress}, {Step::kAttach, kNative}}},
    {"--cleanup", {}, {kNative, kIngress}, {{Step::kDetach, kNative}, {Step::kDetach, kIngress}}},
};

TEST(AttachmentDiff, SaysWhatTurnsActualIntoDesired) {
  for (const Row& row : kRows)
    EXPECT_EQ(diff(row.desired, row.actual), row.steps) << row.what;
}

TEST(Step, SaysThatItsDeviceHasGone) {
  for (const int code : {ENODEV, ENXIO, ENOLINK})
    EXPECT_TRUE(step_error("attach", kNative, code).message.ends_with(": the device has gone meanwhile")) << code;
  EXPECT_TRUE(step_error("attach", kNative, EPERM).message.ends_with(": Operation not permitted"));
}

}  // namespace
}  // namespace fairlead::datapath
