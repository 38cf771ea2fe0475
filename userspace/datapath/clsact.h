// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/datapath/attachment.h"
#include "userspace/util/result.h"

namespace fairlead::datapath {

// Our programs as filters of clsact qdiscs. A qdisc is made where there is none, with a mark in it by which any later
// process knows that it is ours, and goes with our last filter if nobody else's are in it. Those of others stay.

// All filters of ours in this network namespace, whichever build made them, the devices that cannot have them, and the
// qdiscs of ours that none is in.
Result<Actual> read_filters();

Result<> attach_filter(const Attachment& attachment, int program);
Result<> replace_filter(const Attachment& attachment, int program);
Result<> detach_filter(const Attachment& attachment);

// Where none of our filters is in it: removes the device's qdisc if it is ours, or leaves it to others whose filters
// are.
Result<> leave_qdisc(int ifindex);

}  // namespace fairlead::datapath
