// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/kube/access/access.h"

namespace fairlead::kube {

// The files that a list as in $KUBECONFIG names, each once.
std::vector<std::filesystem::path> kubeconfig_files(std::string_view list);

// What kubeconfig files say, merged: of each name, and of current-context, the first file that has it counts. Files
// that do not exist are passed over unless none does. An empty `context` means current-context; `master`, if not empty,
// is the URL of the API server whatever the files say. Files that these refer to are read now and, those that say who
// we are, again when they change.
Result<Access> from_kubeconfig(const std::vector<std::filesystem::path>& files, const std::string& context = {},
                               const std::string& master = {}, const Timing& timing = {});

}  // namespace fairlead::kube
