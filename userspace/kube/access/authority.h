// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/kube/access/access.h"

namespace fairlead::kube {

// Takes what the file that says whom to trust says now, if there is one and it can be used: an authority that is
// replaced is put into it before servers have certificates of the new one.
void refresh_authority(Cluster& cluster);

}  // namespace fairlead::kube
