// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>

#include "userspace/kube/access/entry.h"
#include "userspace/kube/access/plugin_credentials.h"

namespace fairlead::kube {

// A user's "exec".
PluginCredentials::Plugin read_plugin(const document::Reader& exec, const Entry& entry,
                                      const boost::json::value& cluster);

}  // namespace fairlead::kube
