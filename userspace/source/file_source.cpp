// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/file_source.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace fairlead::source {
namespace {

bool is_manifest(const std::filesystem::path& name) {
  const std::string extension = name.extension();
  return !name.string().starts_with('.') && (extension == ".yaml" || extension == ".yml" || extension == ".json");
}

Result<std::set<std::string>> list_manifests(const std::filesystem::path& directory) {
  std::set<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  while (!error && entry != std::filesystem::directory_iterator()) {
    if (is_manifest(entry->path().filename())) names.insert(entry->path().filename());
    entry.increment(error);
  }
  if (error) return Error{"cannot be read: " + error.message(), error.value()};
  return names;
}

}  // namespace

FileSource::FileSource(boost::asio::io_context& io, Options options, model::Store& store, Handlers handlers)
    : options_(std::move(options)),
      store_(store),
      handlers_(std::move(handlers)),
      watch_(io, options_.directory, options_.timing,
             [this](const DirectoryWatch::Changes& changes) { (void)scan(changes); }),
      catalog_(options_.node_name) {
}

// The watch comes first: what changes during the scan is seen afterwards.
Result<> FileSource::start() {
  if (auto started = watch_.start(); !started) return started;
  (void)scan();
  return {};
}

Result<> FileSource::scan() {
  return scan({});
}

Result<> FileSource::scan(const DirectoryWatch::Changes& changes) {
  const auto names = list_manifests(options_.directory);
  directory_problem_.reset();
  if (names) {
    refresh(*names, changes);
  } else {
    const std::string consequence = seen_ ? "; what was read last stays in force" : "";
    directory_problem_ = {options_.directory, "", "", "", names.error().message + consequence};
  }
  tell();
  if (!names) return Error{options_.directory.string() + " " + names.error().message, names.error().code};
  return {};
}

void FileSource::refresh(const std::set<std::string>& names, const DirectoryWatch::Changes& changes) {
  std::erase_if(files_, [&](const auto& file) {
    if (names.contains(file.first)) return false;
    catalog_.set(file.first, {});
    return true;
  });
  for (const std::string& name : names) {
    auto& file = files_.try_emplace(name, options_.directory / name, options_.max_file_bytes).first->second;
    if (file.refresh(changes.lost || changes.names.contains(name))) catalog_.set(name, file.objects());
  }
}

std::set<model::Problem> FileSource::find_problems() const {
  std::set<model::Problem> found;
  if (directory_problem_) found.insert(*directory_problem_);
  for (const auto& [name, file] : files_)
    found.insert(file.problems().begin(), file.problems().end());
  for (model::Problem& problem : catalog_.problems())
    found.insert(std::move(problem));
  return found;
}

Unread FileSource::find_unread() const {
  Unread unread;
  for (const auto& [name, file] : files_)
    unread.merge(file.unread());
  return unread;
}

void FileSource::tell() {
  const std::set<model::Problem> before = std::exchange(problems_, find_problems());
  for (const model::Problem& problem : before)
    if (handlers_.on_solved && !problems_.contains(problem)) handlers_.on_solved(problem);
  for (const model::Problem& problem : problems_)
    if (handlers_.on_problem && !before.contains(problem)) handlers_.on_problem(problem);
  const bool changed = catalog_.write_to(store_);
  if (directory_problem_ && !seen_) return;
  const bool first = !std::exchange(seen_, true);
  const Unread before_now = std::exchange(unread_, find_unread());
  if (handlers_.on_sync && (changed || first || before_now != unread_)) handlers_.on_sync(store_);
}

}  // namespace fairlead::source
