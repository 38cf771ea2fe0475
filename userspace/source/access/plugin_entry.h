// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>

#include "userspace/source/access/entry.h"
#include "userspace/source/access/plugin_credentials.h"

namespace fairlead::source::access {

// A user's "exec".
PluginCredentials::Plugin read_plugin(const Reader& exec, const Entry& entry, const boost::json::value& cluster);

}  // namespace fairlead::source::access
