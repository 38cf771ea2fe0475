// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/user_credentials.h"

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

UserCredentials::UserCredentials(Proofs proofs) : proofs_(std::move(proofs)) {
}

boost::asio::awaitable<Result<Identity>> UserCredentials::identity() {
  co_return now();
}

void UserCredentials::reject() {
  if (proofs_.token_file) proofs_.token_file->reject();
  if (proofs_.certificate) proofs_.certificate->reject();
}

Result<Identity> UserCredentials::now() {
  Identity identity;
  identity.authorization = proofs_.authorization;
  if (proofs_.token_file) {
    auto authorization = proofs_.token_file->authorization();
    if (!authorization) return of_owner(authorization.error());
    identity.authorization = *std::move(authorization);
  }
  if (proofs_.certificate) {
    if (auto done = proofs_.certificate->refresh(); !done) return of_owner(done.error());
    identity.certificate_pem = proofs_.certificate->certificate();
    identity.key_pem = proofs_.certificate->key();
  }
  return identity;
}

Error UserCredentials::of_owner(const Error& error) const {
  return {proofs_.owner + ": " + error.message, error.code};
}

}  // namespace fairlead::kube
