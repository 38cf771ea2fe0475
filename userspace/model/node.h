// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "userspace/util/address.h"

namespace fairlead::model {

// What a Node (core/v1) says that the proxy needs.
struct Node {
  std::string name;
  std::vector<Address> internal_ips;  // status.addresses of type InternalIP, in order
  std::string zone;                   // label topology.kubernetes.io/zone
  bool being_deleted = false;         // metadata.deletionTimestamp is set
  bool to_be_deleted = false;         // taint ToBeDeletedByClusterAutoscaler

  bool operator==(const Node&) const = default;
};

}  // namespace fairlead::model
