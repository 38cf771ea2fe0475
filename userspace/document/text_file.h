// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <filesystem>
#include <string>

#include "userspace/util/result.h"

namespace fairlead::document {

// Tells one content of a path from the next, without reading it.
struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  timespec modified{};
  off_t size = 0;
  bool operator==(const FileStamp& other) const;
};

// A small regular file; links are followed. Nothing else is opened, a pipe would be waited for. Errors say what is
// wrong and leave it to the caller to name the file: "cannot be read: Permission denied".
struct TextFile {
  FileStamp stamp;
  std::string text;

  static Result<FileStamp> look(const std::filesystem::path& path, std::size_t max_bytes);
  static Result<TextFile> read(const std::filesystem::path& path, std::size_t max_bytes);
};

}  // namespace fairlead::document
