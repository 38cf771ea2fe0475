// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/manifest_file.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "userspace/source/documents.h"
#include "userspace/util/fd.h"

namespace fairlead::source {
namespace {

Error unreadable(int code) {
  return {"cannot be read: " + std::generic_category().message(code), code};
}

Error too_large(std::size_t limit) {
  return {"is larger than the limit of " + std::to_string(limit) + " bytes", 0};
}

}  // namespace

bool ManifestFile::Stamp::operator==(const Stamp& other) const {
  return device == other.device && inode == other.inode && modified.tv_sec == other.modified.tv_sec &&
         modified.tv_nsec == other.modified.tv_nsec && size == other.size;
}

ManifestFile::ManifestFile(std::filesystem::path path, std::size_t max_bytes)
    : path_(std::move(path)), name_(path_.filename()), max_bytes_(max_bytes) {
}

bool ManifestFile::refresh(bool surely) {
  const auto now = look();
  if (now && stamp_ == *now && !surely) return false;
  // A pipe would be waited for: nothing is opened that isn't a file.
  auto text = now ? read() : Result<Text>(now.error());
  if (text) {
    stamp_ = text->stamp;
    take(text->text);
  } else {
    stamp_.reset();
    fail(name_, text.error().message);
  }
  return true;
}

Result<ManifestFile::Stamp> ManifestFile::look() const {
  struct stat status{};
  if (::stat(path_.c_str(), &status) != 0) return unreadable(errno);
  return stamp_of(status);
}

Result<ManifestFile::Stamp> ManifestFile::stamp_of(const struct stat& status) const {
  if (!S_ISREG(status.st_mode)) return Error{"is not a regular file", 0};
  if (status.st_size > static_cast<off_t>(max_bytes_)) return too_large(max_bytes_);
  return Stamp{status.st_dev, status.st_ino, status.st_mtim, status.st_size};
}

// The stamp is that of the opened file: the path may lead to another one a moment later.
Result<ManifestFile::Text> ManifestFile::read() const {
  const Fd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return unreadable(errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return unreadable(errno);
  const auto stamp = stamp_of(status);
  if (!stamp) return stamp.error();
  std::string text;
  std::array<char, 65536> chunk;
  while (text.size() <= max_bytes_) {
    const ssize_t count = ::read(file.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return unreadable(errno);
    if (count == 0) return Text{*stamp, std::move(text)};
    text.append(chunk.data(), static_cast<std::size_t>(count));
  }
  return too_large(max_bytes_);
}

void ManifestFile::take(std::string_view text) {
  if (text.empty()) return fail(name_, "is empty; delete it to remove its objects");
  const auto documents = parse_documents(name_, text);
  if (!documents) return fail(name_ + ", " + documents.error().place(), documents.error().message);
  Decoded decoded;
  for (std::size_t i = 0; i < documents->size(); ++i)
    decode_document((*documents)[i], name_ + ", document " + std::to_string(i + 1), decoded);
  take(std::move(decoded));
}

void ManifestFile::take(Decoded decoded) {
  Objects objects;
  complete_ = decoded.nameless == 0;
  bool understood = complete_;
  for (Item& item : decoded.items) {
    if (std::holds_alternative<std::monostate>(item.value)) {
      understood = false;
      keep(decoded, item, objects);
    } else if (const auto [first, fresh] = objects.try_emplace(item.key, Placed{item.value, item.where}); !fresh) {
      decoded.problems.push_back(
          {item.where, item.key.to_string(), "", "", "is already in " + first->second.where + ", which counts"});
    }
  }
  if (!understood) keep_missing(decoded, objects);
  objects_ = std::move(objects);
  problems_ = std::move(decoded.problems);
}

// An object that cannot be used as it is written now.
void ManifestFile::keep(Decoded& decoded, const Item& item, Objects& objects) {
  const auto last_good = objects_.find(item.key);
  if (last_good == objects_.end()) {
    complete_ = false;
    return;
  }
  if (!objects.try_emplace(item.key, Placed{last_good->second.value, item.where}).second) return;
  decoded.problems.push_back({item.where, item.key.to_string(), "", "", "its last good version stays in force"});
}

void ManifestFile::keep_missing(Decoded& decoded, Objects& objects) const {
  for (const auto& [key, placed] : objects_)
    if (objects.try_emplace(key, placed).second)
      decoded.problems.push_back({name_, key.to_string(), "", "",
                                  "is missing now, but stays in force until the rest of the file is understood"});
}

void ManifestFile::fail(const std::string& where, const std::string& message) {
  const std::string consequence = objects_.empty() ? "" : "; its last good version stays in force";
  problems_ = {{where, "", "", "", message + consequence}};
}

}  // namespace fairlead::source
