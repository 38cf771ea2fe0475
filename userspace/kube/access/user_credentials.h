// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/kube/access/access.h"
#include "userspace/kube/access/certificate.h"

namespace fairlead::kube {

// The value of an Authorization header. An error does not quote the token.
Result<std::string> bearer(std::string_view token);

// A bearer token in a file that somebody replaces now and then. It is read again when a minute has passed; if that
// fails, the last one stays in use until it is rejected.
class TokenFile {
 public:
  // `fallback`, if not empty, is the header's value until the file can be read.
  TokenFile(std::filesystem::path path, std::string fallback, const Timing& timing);

  // The value of an Authorization header.
  Result<std::string> authorization();
  void reject() { usable_ = false; }

 private:
  Result<std::string> read() const;

  std::filesystem::path path_;
  std::function<std::chrono::system_clock::time_point()> now_;
  std::string last_;
  bool usable_;  // for want of a newer one
  std::chrono::system_clock::time_point read_at_;
};

// What somebody gave us who wants us to be recognised: a token or password, a client certificate, both, or nothing.
class UserCredentials : public Credentials {
 public:
  struct Proofs {
    std::string owner;          // for errors: "kubeconfig /etc/config: user 'edge'"
    std::string authorization;  // value of the header, unless a token file gives it
    std::optional<TokenFile> token_file;
    std::optional<ClientCertificate> certificate;
  };

  explicit UserCredentials(Proofs proofs);

  boost::asio::awaitable<Result<Identity>> identity() override;
  void reject() override;

  // The same without waiting, for nothing of it takes time.
  Result<Identity> now();

 private:
  Error of_owner(const Error& error) const;

  Proofs proofs_;
};

}  // namespace fairlead::kube
