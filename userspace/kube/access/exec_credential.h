// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/kube/access/access.h"

namespace fairlead::kube {

// The object in which Kubernetes and credential plugins talk to each other.

// What a plugin finds in KUBERNETES_EXEC_INFO. A null `cluster` is left out.
std::string exec_info(std::string_view api_version, const boost::json::value& cluster);

struct ExecCredential {
  Identity identity;
  std::optional<std::chrono::system_clock::time_point> expires;
};

// What a plugin printed. An error names the field and quotes nothing.
Result<ExecCredential> parse_exec_credential(std::string_view output, std::string_view api_version);

}  // namespace fairlead::kube
