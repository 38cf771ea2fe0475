// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/carry_out.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

namespace fairlead::datapath {
namespace {

using Steps = std::vector<Step>;

Step step(Step::Action action, Hook hook, int ifindex = 2) {
  const Means means = hook == Hook::kXdp ? Means::kXdpNative : Means::kClsact;
  return {action, {ifindex, hook, means, 20, ""}};
}

const Step kEgress = step(Step::kReplace, Hook::kTcEgress), kIngress = step(Step::kReplace, Hook::kTcIngress),
           kXdp = step(Step::kReplace, Hook::kXdp);

// A kernel that refuses steps, each a number of times.
struct Kernel {
  struct Refusal {
    Step step;
    int code;
    int times;
  };
  std::vector<Refusal> refusals;
  Steps asked = {};

  CarriedOut carry_out(const Steps& steps) {
    return datapath::carry_out(steps, [&](const Step& step) { return take(step); });
  }

 private:
  Result<> take(const Step& step) {
    asked.push_back(step);
    for (Refusal& one : refusals)
      if (one.step == step && one.times > 0) {
        --one.times;
        return step_error("take", step.attachment, one.code);
      }
    return {};
  }
};

constexpr int kAlways = 1000;

TEST(CarryOut, AReplacementIsTriedAgainWhereTheErrorMayPass) {
  for (const int code : {ENOBUFS, EINTR, ENOMEM, ENFILE}) {
    Kernel kernel{{{kEgress, code, 2}}};
    const CarriedOut out = kernel.carry_out({kEgress, kIngress, kXdp});
    EXPECT_EQ(out.done, (Steps{kEgress, kIngress, kXdp})) << code;
    EXPECT_TRUE(out.failed.empty() && out.left.empty() && out.anew.empty());
  }
}

TEST(CarryOut, ADeviceWhoseReplacementFailsIsLeftAsItStands) {
  const Step detach = step(Step::kDetach, Hook::kXdp), elsewhere = step(Step::kReplace, Hook::kTcEgress, 3);
  for (const int code : {ENOBUFS, EPERM}) {
    Kernel kernel{{{kEgress, code, kAlways}}};
    const CarriedOut out = kernel.carry_out({kEgress, kIngress, elsewhere, detach, kXdp});
    EXPECT_EQ(out.done, (Steps{elsewhere}));
    EXPECT_EQ(out.left, (Steps{kIngress, detach, kXdp}));
    ASSERT_EQ(out.failed.size(), 1U);
    EXPECT_EQ(out.failed[0].step, kEgress);
    EXPECT_EQ(out.failed[0].error.code, code);
    EXPECT_TRUE(out.half_attached.empty()) << "nothing is to be undone";
  }
}

TEST(CarryOut, AHalfThatCannotBeAttachedIsToBeUndone) {
  const Step egress = step(Step::kAttach, Hook::kTcEgress), ingress = step(Step::kAttach, Hook::kTcIngress);
  Kernel kernel{{{ingress, EINVAL, kAlways}}};
  const CarriedOut out = kernel.carry_out({egress, ingress, step(Step::kAttach, Hook::kXdp)});
  EXPECT_EQ(out.done, (Steps{egress}));
  EXPECT_EQ(out.half_attached, std::set<int>{2});
}

TEST(CarryOut, XdpThatCannotBeReplacedIsAttachedAnew) {
  Kernel kernel{{{kXdp, EINVAL, kAlways}}};
  const CarriedOut out = kernel.carry_out({kEgress, kXdp});
  EXPECT_EQ(kernel.asked, (Steps{kEgress, kXdp, step(Step::kDetach, Hook::kXdp), step(Step::kAttach, Hook::kXdp)}));
  EXPECT_EQ(out.done, (Steps{kEgress, kXdp}));
  ASSERT_EQ(out.anew.size(), 1U);
  EXPECT_EQ(out.anew[0].error.code, EINVAL);
}

TEST(CarryOut, XdpThatCanNeitherBeReplacedNorTakenOffFailsByTheFirstReason) {
  Kernel kernel{{{kXdp, EINVAL, kAlways}, {step(Step::kDetach, Hook::kXdp), EPERM, kAlways}}};
  const CarriedOut out = kernel.carry_out({kXdp});
  ASSERT_EQ(out.failed.size(), 1U);
  EXPECT_EQ(out.failed[0].error.code, EINVAL);
  EXPECT_TRUE(out.half_attached.empty());
}

}  // namespace
}  // namespace fairlead::datapath
