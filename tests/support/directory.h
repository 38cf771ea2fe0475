// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace fairlead::test {

// A directory of its own for a test, gone afterwards.
class Directory {
 public:
  Directory() {
    std::string name = std::filesystem::temp_directory_path() / "fairlead-test-XXXXXX";
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

}  // namespace fairlead::test
