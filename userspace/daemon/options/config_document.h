// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "userspace/daemon/options/config_file.h"
#include "userspace/daemon/options/settings.h"
#include "userspace/document/reader.h"

namespace fairlead::daemon {

// The keys that lead to a field. Keys may have dots.
using Path = std::vector<std::string>;

// Remarks of one sort about one document, handed over when this ends.
class Complaints {
 public:
  Complaints(const boost::json::value& document, std::string where, std::string object, std::vector<std::string>& into)
      : document_(&document), findings_{problems_, std::move(where), std::move(object)}, into_(into) {}
  ~Complaints() {
    for (const model::Problem& problem : problems_)
      into_.push_back(problem.to_string());
  }
  Complaints(const Complaints&) = delete;
  Complaints& operator=(const Complaints&) = delete;

  document::Reader at(const Path& path) {
    document::Reader reader(*document_, findings_);
    for (const std::string& key : path)
      reader = reader[key];
    return reader;
  }
  std::size_t count() const { return problems_.size(); }

 private:
  const boost::json::value* document_;
  std::vector<model::Problem> problems_;
  document::Findings findings_;
  std::vector<std::string>& into_;
};

// Sets what a document of a known kind says. `where` goes into the errors.
void read_document(const boost::json::value& document, const std::string& where, Home home, Fields fields,
                   std::vector<Setting>& settings, Remarks& remarks);

}  // namespace fairlead::daemon
