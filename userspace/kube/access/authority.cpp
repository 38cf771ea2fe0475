// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/authority.h"

#include <utility>

#include "userspace/kube/access/certificate.h"

namespace fairlead::kube {

void refresh_authority(Cluster& cluster) {
  if (cluster.ca_file.empty()) return;
  auto content = Pem{{}, cluster.ca_file}.read();
  if (content && check_certificates(content->text)) cluster.ca_pem = std::move(content->text);
}

}  // namespace fairlead::kube
