// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
#include <vector>

#include "userspace/datapath/attachment.h"

namespace fairlead::datapath {

struct Failure {
  Step step;
  Error error;
};

// What has come of steps.
struct CarriedOut {
  std::vector<Step> done;
  std::vector<Failure> failed;
  std::vector<Step> left;       // not tried, because a device of theirs is left as it stands
  std::vector<Failure> anew;    // XDP programs that could not be replaced where they were, and are attached anew
  std::set<int> half_attached;  // devices that one of tc's programs could not be attached to
};

// Takes the steps in their order, and goes on with other devices after one that fails. A device on which a step of tc's
// fails is left as it stands: what an earlier lbd attached there goes on. XDP is no such step, because tc does all that
// it does: a program of it that cannot be replaced where it is is taken off, and the new one attached.
CarriedOut carry_out(const std::vector<Step>& steps, const std::function<Result<>(const Step&)>& take);

}  // namespace fairlead::datapath
