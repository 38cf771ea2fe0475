// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/entry.h"

namespace fairlead::kube {

Error first_error(const std::vector<model::Problem>& problems) {
  model::Problem first = problems.front();
  first.value.clear();
  return {first.to_string(), 0};
}

std::filesystem::path Entry::resolve(const std::string& path) const {
  return (std::filesystem::absolute(file).parent_path() / path).lexically_normal();
}

}  // namespace fairlead::kube
