// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/user_credentials.h"

#include <utility>

namespace fairlead::kube {

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
