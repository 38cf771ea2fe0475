// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "userspace/kube/access/access.h"
#include "userspace/kube/access/entry.h"

namespace fairlead::kube {

struct ClusterEntry {
  Cluster cluster;
  boost::json::value for_plugins;  // the cluster as credential plugins are told of it
};

// Of a cluster, what the setting "master" says. An error names it.
Result<Cluster> parse_master(const std::string& url);

// `master`, if not empty, stands for the entry's server; the name to verify is then that of its host.
Result<ClusterEntry> read_cluster(const Entry& entry, const std::string& master);

}  // namespace fairlead::kube
