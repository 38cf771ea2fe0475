// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace fairlead::datapath {

// Which of the capabilities that loading and attaching programs takes this process does not have: "CAP_BPF and
// CAP_PERFMON". Empty: none, which says nothing of a user namespace, where they are worth less.
std::string missing_capabilities();

}  // namespace fairlead::datapath
