// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "userspace/kube/access/access.h"

namespace fairlead::kube {

// The API server at this URL, asked as nobody, and trusted if the system's certificates say so: what a URL without a
// kubeconfig means to kube-proxy.
Result<Access> by_url(const std::string& url);

}  // namespace fairlead::kube
