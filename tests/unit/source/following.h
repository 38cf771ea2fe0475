// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "tests/support/directory.h"
#include "userspace/source/file_source.h"

namespace fairlead::source {

// A service with this name, which its port tells apart from other versions of it.
inline std::string service_text(const std::string& name, int port = 80) {
  return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name +
         "}\nspec:\n  ports: [{port: " + std::to_string(port) + "}]\n";
}

// One that cannot be decoded.
inline std::string broken_text(const std::string& name) {
  return service_text(name) + "  type: X\n";
}

// A slice of a service that cannot be decoded.
inline std::string broken_slice(const std::string& name, const std::string& service) {
  return "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " + name +
         ", labels: {kubernetes.io/service-name: '" + service + "'}}\naddressType: X\n";
}

// A source over a directory, and what it has told.
class Following {
 public:
  explicit Following(const test::Directory& directory) : Following(options_for(directory)) {}
  explicit Following(FileSource::Options options) : source(io, std::move(options), store, handlers()) {}

  static FileSource::Options options_for(const test::Directory& directory) {
    using std::chrono::milliseconds;
    using std::chrono::minutes;
    FileSource::Options options;
    options.directory = directory.path();
    options.node_name = "edge";
    options.timing = {milliseconds(10), milliseconds(100), minutes(10), milliseconds(20)};
    return options;
  }

  // The first port of a service in the default namespace; 0 when there is no such service.
  int port_of(const std::string& name) const {
    const model::Service* service = store.service({"default", name});
    return service ? service->ports.at(0).port : 0;
  }

  std::vector<std::string> problems() const {
    std::vector<std::string> result;
    for (const model::Problem& problem : source.problems())
      result.push_back(problem.to_string());
    return result;
  }

  template <class Predicate>
  bool runs_until(Predicate predicate, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!predicate() && std::chrono::steady_clock::now() < deadline)
      io.run_one_until(deadline);
    return predicate();
  }

  boost::asio::io_context io;
  model::Store store;
  int syncs = 0;
  std::vector<std::string> told;    // problems, in the order in which they came up
  std::vector<std::string> solved;  // and went
  FileSource source;

 private:
  Handlers handlers() {
    return {[this](model::Store&) { ++syncs; },
            [this](const model::Problem& problem) { told.push_back(problem.to_string()); },
            [this](const model::Problem& problem) { solved.push_back(problem.to_string()); }};
  }
};

}  // namespace fairlead::source
