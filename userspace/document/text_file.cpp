// SPDX-License-Identifier: Apache-2.0
#include "userspace/document/text_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "userspace/util/fd.h"

namespace fairlead::document {
namespace {

Error unreadable(int code) {
  return {"cannot be read: " + std::generic_category().message(code), code};
}

Error too_large(std::size_t limit) {
  return {"is larger than the limit of " + std::to_string(limit) + " bytes", 0};
}

Result<FileStamp> stamp_of(const struct stat& status, std::size_t max_bytes) {
  if (!S_ISREG(status.st_mode)) return Error{"is not a regular file", 0};
  if (status.st_size > static_cast<off_t>(max_bytes)) return too_large(max_bytes);
  return FileStamp{status.st_dev, status.st_ino, status.st_mtim, status.st_size};
}

}  // namespace

bool FileStamp::operator==(const FileStamp& other) const {
  return device == other.device && inode == other.inode && modified.tv_sec == other.modified.tv_sec &&
         modified.tv_nsec == other.modified.tv_nsec && size == other.size;
}

Result<FileStamp> TextFile::look(const std::filesystem::path& path, std::size_t max_bytes) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return unreadable(errno);
  return stamp_of(status, max_bytes);
}

// The stamp is that of the opened file: the path may lead to another one a moment later.
Result<TextFile> TextFile::read(const std::filesystem::path& path, std::size_t max_bytes) {
  if (const auto before = look(path, max_bytes); !before) return before.error();
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return unreadable(errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return unreadable(errno);
  const auto stamp = stamp_of(status, max_bytes);
  if (!stamp) return stamp.error();
  std::string text;
  std::array<char, 65536> chunk;
  while (text.size() <= max_bytes) {
    const ssize_t count = ::read(file.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return unreadable(errno);
    if (count == 0) return TextFile{*stamp, std::move(text)};
    text.append(chunk.data(), static_cast<std::size_t>(count));
  }
  return too_large(max_bytes);
}

}  // namespace fairlead::document
