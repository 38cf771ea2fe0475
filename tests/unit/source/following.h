// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdlib.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/source/file_source.h"

namespace fairlead::source {

// A directory of its own for a test, gone afterwards.
class Directory {
 public:
  Directory() {
    std::string name = std::filesystem::temp_directory_path() / "fairlead-source-XXXXXX";
    path_ = std::filesystem::path(::mkdtemp(name.data())) / "services";
    std::filesystem::create_directory(path_);
  }
  Directory(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(path_.parent_path()); }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path outside(const std::string& name) const { return path_.parent_path() / name; }

  void write(const std::string& name, std::string_view text) const { std::ofstream(path_ / name) << text; }
  void replace(const std::string& name, std::string_view text) const {
    std::ofstream(outside("new")) << text;
    std::filesystem::rename(outside("new"), path_ / name);
  }
  void remove(const std::string& name) const { std::filesystem::remove_all(path_ / name); }

 private:
  std::filesystem::path path_;
};

// A service with this name, which its port tells apart from other versions of it.
inline std::string service_text(const std::string& name, int port = 80) {
  return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name +
         "}\nspec:\n  ports: [{port: " + std::to_string(port) + "}]\n";
}

// A source over a directory, and what it has told.
class Following {
 public:
  explicit Following(const Directory& directory) : Following(options_for(directory)) {}
  explicit Following(FileSource::Options options) : source(io, std::move(options), store, handlers()) {}

  static FileSource::Options options_for(const Directory& directory) {
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
