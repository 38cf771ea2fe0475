// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "userspace/document/reader.h"
#include "userspace/kube/access/certificate.h"
#include "userspace/util/result.h"

namespace fairlead::kube {

// The first of what is wrong, without the value, which may be a secret.
Error first_error(const std::vector<model::Problem>& problems);

// What `read` makes of a value by means of a Reader, or the first thing that it complained of.
template <class Read>
auto read_value(const boost::json::value& value, std::string where, std::string object, Read&& read)
    -> Result<decltype(read(std::declval<const document::Reader&>()))> {
  std::vector<model::Problem> problems;
  document::Findings findings{problems, std::move(where), std::move(object)};
  auto result = read(document::Reader(value, findings));
  if (!problems.empty()) return first_error(problems);
  return result;
}

// One of the named things in a kubeconfig.
struct Entry {
  std::filesystem::path file;
  std::string kind;  // "user"
  std::string name;
  boost::json::value body;

  std::string where() const { return "kubeconfig " + file.string(); }
  std::string object() const { return kind + " '" + name + "'"; }
  // A path in it is relative to the file.
  std::filesystem::path resolve(const std::string& path) const;
};

// A field that names a file, "client-key", or the one beside it that has what would be in the file, in base64:
// "client-key-data".
Pem read_pem(const document::Reader& reader, const Entry& entry, const std::string& field);

// The one of the two fields that the text came from.
document::Reader pem_field(const document::Reader& reader, const Pem& pem, const std::string& field);

}  // namespace fairlead::kube
