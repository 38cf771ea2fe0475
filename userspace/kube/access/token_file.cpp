// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/token_file.h"

#include <algorithm>
#include <utility>

#include "userspace/document/text_file.h"
#include "userspace/util/text.h"

namespace fairlead::kube {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::chrono::minutes kFresh(1);

}  // namespace

Result<std::string> bearer(std::string_view token) {
  const auto is_visible = [](char character) { return character > ' ' && character < '\x7f'; };
  if (token.empty()) return Error{"the token is empty", 0};
  if (!std::all_of(token.begin(), token.end(), is_visible))
    return Error{"the token has characters that no token may have", 0};
  return "Bearer " + std::string(token);
}

TokenFile::TokenFile(std::filesystem::path path, std::string fallback, const Timing& timing)
    : path_(std::move(path)),
      now_(timing.now),
      last_(std::move(fallback)),
      usable_(!last_.empty()),
      read_at_(std::chrono::system_clock::time_point::min()) {
}

Result<std::string> TokenFile::authorization() {
  const auto now = now_();
  if (usable_ && read_at_ <= now && now < read_at_ + kFresh) return last_;
  auto token = read();
  if (token) {
    last_ = *std::move(token);
    usable_ = true;
    read_at_ = now;
  } else if (!usable_) {
    return token.error();
  }
  return last_;
}

Result<std::string> TokenFile::read() const {
  const auto file = document::TextFile::read(path_, kMaxBytes);
  if (!file) return Error{path_.string() + " " + file.error().message, file.error().code};
  auto value = bearer(trimmed(file->text));
  if (!value) return Error{path_.string() + ": " + value.error().message, 0};
  return value;
}

}  // namespace fairlead::kube
