// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/certificate.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/unit/kube/access/certificates.h"

namespace fairlead::kube {
namespace {

std::string said(const Result<>& result) {
  return result ? "usable" : result.error().message;
}

TEST(Pem, CertificatesAreAllLookedAt) {
  const Issued one, other;
  const std::string broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(said(check_certificates(one.certificate())), "usable");
  EXPECT_EQ(said(check_certificates("# ours\n" + one.certificate() + "\n" + other.certificate())), "usable");
  EXPECT_EQ(said(check_certificates(one.certificate() + broken)), "certificate 2 cannot be read");
  EXPECT_EQ(said(check_certificates("")), "has no PEM certificate");
  EXPECT_EQ(said(check_certificates("nonsense")), "has no PEM certificate");
  EXPECT_EQ(said(check_certificates(one.key())), "has no PEM certificate");
}

TEST(Pem, AKeyBelongsToTheFirstCertificate) {
  const Issued leaf, authority;
  EXPECT_EQ(said(check_pair(leaf.certificate() + authority.certificate(), leaf.key())), "usable");
  EXPECT_EQ(said(check_pair(authority.certificate() + leaf.certificate(), leaf.key())),
            "the key is not that of the certificate");
  const std::string both = leaf.key() + leaf.certificate();
  EXPECT_EQ(said(check_pair(both, both)), "usable") << "as the kubelet's file has them";
}

TEST(Pem, AKeyMustBeReadable) {
  const Issued issued;
  constexpr const char* kNoKey = "the key: has no PEM private key that can be read without a password";
  EXPECT_EQ(said(check_pair(issued.certificate(), "")), kNoKey);
  EXPECT_EQ(said(check_pair(issued.certificate(), issued.certificate())), kNoKey);
  EXPECT_EQ(said(check_pair(issued.certificate(), issued.locked_key())), kNoKey);
  EXPECT_EQ(said(check_pair("", issued.key())), "the certificate: has no PEM certificate");
}

TEST(Pem, NothingIsLeftInTheQueueOfErrors) {
  const Issued issued;
  check_certificates("nonsense");
  check_pair(issued.certificate(), "");
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace fairlead::kube
