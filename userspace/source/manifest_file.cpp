// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/manifest_file.h"

#include <utility>

#include "userspace/document/documents.h"

namespace fairlead::source {

ManifestFile::ManifestFile(std::filesystem::path path, std::size_t max_bytes)
    : path_(std::move(path)), name_(path_.filename()), max_bytes_(max_bytes) {
}

bool ManifestFile::refresh(bool surely) {
  const auto now = document::TextFile::look(path_, max_bytes_);
  if (now && stamp_ == *now && !surely) return false;
  if (const auto file = document::TextFile::read(path_, max_bytes_)) {
    stamp_ = file->stamp;
    take(file->text);
  } else {
    stamp_.reset();
    fail(name_, file.error().message);
  }
  return true;
}

void ManifestFile::take(std::string_view text) {
  if (text.empty()) return fail(name_, "is empty; delete it to remove its objects");
  const auto documents = document::parse_documents(name_, text);
  if (!documents) return fail(name_ + ", " + documents.error().place(), documents.error().message);
  Decoded decoded;
  for (std::size_t i = 0; i < documents->size(); ++i)
    decode_document((*documents)[i], name_ + ", document " + std::to_string(i + 1), decoded);
  take(std::move(decoded));
}

void ManifestFile::take(Decoded decoded) {
  Objects objects;
  unread_ = {decoded.nameless > 0, {}};
  bool understood = !unread_.anything;
  for (Item& item : decoded.items) {
    if (item.value.empty()) {
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
    unread_.merge(item.unread);
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
