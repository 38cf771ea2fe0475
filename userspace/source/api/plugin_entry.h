// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>

#include "userspace/source/api/entry.h"
#include "userspace/source/api/plugin_credentials.h"

namespace fairlead::source::api {

// A user's "exec".
PluginCredentials::Plugin read_plugin(const Reader& exec, const Entry& entry, const boost::json::value& cluster);

}  // namespace fairlead::source::api
