// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/access.h"

namespace fairlead::kube {

std::string Cluster::authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Cluster::url() const {
  return (tls ? "https://" : "http://") + authority() + base_path;
}

}  // namespace fairlead::kube
