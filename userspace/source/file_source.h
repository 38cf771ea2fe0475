// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "userspace/source/catalog.h"
#include "userspace/source/directory_watch.h"
#include "userspace/source/manifest_file.h"
#include "userspace/source/source.h"

namespace fairlead::source {

// Keeps a store equal to the Kubernetes manifests in one directory: Services, EndpointSlices and this node's Node, in
// files named *.yaml, *.yml and *.json; names that begin with a dot are passed over, and so are directories below it.
//
// - A change is in the store about 50 ms after the last write of a burst, half a second after its first at the latest.
//   Both a rename over a file and a swap of the link that the files lie behind (..data of a mounted ConfigMap) are one
//   change.
// - A file that can't be read or parsed leaves the objects that it last had in force, an object that can't be decoded
//   leaves its last good version and takes nothing away that its file had, a directory that is gone leaves everything.
//   Each is a problem until it is over.
// - A deleted file takes its objects along. What is in two files counts in the one whose name sorts first.
//
// All calls, the handlers' included, happen on the io_context's thread. The store and the io_context must outlive this.
class FileSource : public Source {
 public:
  struct Options {
    std::filesystem::path directory;
    std::string node_name;
    std::size_t max_file_bytes = 4 << 20;  // a larger file is a problem, and not read
    DirectoryWatch::Timing timing;
  };

  FileSource(boost::asio::io_context& io, Options options, model::Store& store, Handlers handlers);

  // Scans, and goes on at each change.
  Result<> start() override;
  bool knows_nodes() const override { return catalog_.has_nodes(); }
  Unread unread() const override { return unread_; }
  std::string name() const override { return "file " + options_.directory.string(); }
  const std::set<model::Problem>& problems() const override { return problems_; }

  // Reads what has changed, and calls the handlers. Fails when the directory can't be read. Needs no start().
  Result<> scan();

 private:
  Result<> scan(const DirectoryWatch::Changes& changes);
  void refresh(const std::set<std::string>& names, const DirectoryWatch::Changes& changes);
  std::set<model::Problem> find_problems() const;
  Unread find_unread() const;
  void tell();

  Options options_;
  model::Store& store_;
  Handlers handlers_;
  DirectoryWatch watch_;
  std::map<std::string, ManifestFile> files_;  // by name
  Catalog catalog_;
  std::optional<model::Problem> directory_problem_;
  std::set<model::Problem> problems_;
  bool seen_ = false;  // the directory could be read at least once
  Unread unread_{true, {}};
};

}  // namespace fairlead::source
