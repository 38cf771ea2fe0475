// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <memory>

#include "userspace/kube/access/access.h"
#include "userspace/kube/access/entry.h"

namespace fairlead::kube {

// Tokens and certificates that the entry gives or refers to have been read once and are usable. As kubectl does, it
// runs no plugin where the entry has something else to prove who we are.
Result<std::shared_ptr<Credentials>> read_user(const Entry& entry, const boost::json::value& cluster_for_plugins,
                                               const Timing& timing);

}  // namespace fairlead::kube
