// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/access/pem_entry.h"

#include "userspace/source/access/base64.h"

namespace fairlead::source::access {

Pem read_pem(const Reader& reader, const Entry& entry, const std::string& field) {
  const Reader file = reader[field], data = reader[field + "-data"];
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

Reader pem_field(const Reader& reader, const Pem& pem, const std::string& field) {
  return reader[pem.file.empty() ? field + "-data" : field];
}

}  // namespace fairlead::source::access
