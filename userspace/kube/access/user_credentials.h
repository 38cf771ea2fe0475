// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "userspace/kube/access/access.h"
#include "userspace/kube/access/client_certificate.h"
#include "userspace/kube/access/token_file.h"

namespace fairlead::kube {

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
