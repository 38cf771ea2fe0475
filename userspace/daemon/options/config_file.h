// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "userspace/daemon/options/settings.h"
#include "userspace/util/result.h"

namespace fairlead::daemon {

constexpr std::string_view kKubeProxyVersion = "kubeproxy.config.k8s.io/v1alpha1";
constexpr std::string_view kKubeProxyKind = "KubeProxyConfiguration";
constexpr std::string_view kFairleadVersion = "fairlead.dev/v1alpha1";
constexpr std::string_view kFairleadKind = "FairleadConfiguration";

// Which fields of a file count.
enum class Fields {
  kAll,
  kForCleanup,  // clean-up is to work whatever another build has put into the file
};

// Sets what the file's documents say: a KubeProxyConfiguration, as any version of Kubernetes has it, a
// FairleadConfiguration, or both. Of kube-proxy's fields, those that lbd does not honour are remarked on if they say
// something; those it does not know are warned of. A field of Fairlead's that it does not know is an error. Fails where
// the file cannot be read.
Result<> read_config(const std::string& path, Fields fields, std::vector<Setting>& settings, Remarks& remarks);

// Both documents, with every setting, for read_config.
Result<> write_config(const std::string& path, const std::vector<Setting>& settings);

}  // namespace fairlead::daemon
