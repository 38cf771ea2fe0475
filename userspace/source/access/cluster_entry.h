// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "userspace/source/access/access.h"
#include "userspace/source/access/entry.h"

namespace fairlead::source::access {

struct ClusterEntry {
  Cluster cluster;
  boost::json::value for_plugins;  // the cluster as credential plugins are told of it
};

// `master`, if not empty, stands for the entry's server; the name to verify is then that of its host.
Result<ClusterEntry> read_cluster(const Entry& entry, const std::string& master);

}  // namespace fairlead::source::access
