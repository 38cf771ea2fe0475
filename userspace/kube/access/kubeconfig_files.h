// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "userspace/kube/access/entry.h"

namespace fairlead::kube {

// What several kubeconfig files say together, each entry as it is written.
struct Kubeconfigs {
  std::map<std::string, Entry> clusters;
  std::map<std::string, Entry> users;
  std::map<std::string, Entry> contexts;
  std::string current_context;
  std::string names;  // of the files, for errors
};

// Of each name the first file's entry counts, whole. Files that do not exist are passed over unless none does.
Result<Kubeconfigs> read_kubeconfigs(const std::vector<std::filesystem::path>& files);

}  // namespace fairlead::kube
