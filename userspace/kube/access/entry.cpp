// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/entry.h"

#include "userspace/kube/access/base64.h"

namespace fairlead::kube {

Error first_error(const std::vector<model::Problem>& problems) {
  model::Problem first = problems.front();
  first.value.clear();
  return {first.to_string(), 0};
}

std::filesystem::path Entry::resolve(const std::string& path) const {
  return (std::filesystem::absolute(file).parent_path() / path).lexically_normal();
}

Pem read_pem(const document::Reader& reader, const Entry& entry, const std::string& field) {
  const document::Reader file = reader[field], data = reader[field + "-data"];
  Pem pem;
  if (!file.empty()) pem.file = entry.resolve(file.text());
  if (data.empty()) return pem;
  if (!file.empty()) data.complain("cannot be together with " + field);
  if (auto text = base64_decode(data.text()))
    pem.text = *std::move(text);
  else
    data.complain("is not base64");
  return pem;
}

document::Reader pem_field(const document::Reader& reader, const Pem& pem, const std::string& field) {
  return reader[pem.file.empty() ? field + "-data" : field];
}

}  // namespace fairlead::kube
