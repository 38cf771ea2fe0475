// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/by_url.h"

#include "userspace/kube/access/cluster_entry.h"
#include "userspace/kube/access/user_credentials.h"

namespace fairlead::kube {

Result<Access> by_url(const std::string& url) {
  auto cluster = parse_master(url);
  if (!cluster) return cluster.error();
  return Access{*std::move(cluster), std::make_shared<UserCredentials>(UserCredentials::Proofs{})};
}

}  // namespace fairlead::kube
