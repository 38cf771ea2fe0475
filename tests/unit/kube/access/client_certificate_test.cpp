// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/certificate.h"

#include <gtest/gtest.h>

#include "tests/support/directory.h"
#include "tests/unit/kube/access/certificates.h"

namespace fairlead::kube {
namespace {

class ClientCertificates : public testing::Test {
 protected:
  ClientCertificate files() const {
    return {Pem{{}, directory_.path() / "tls.crt"}, Pem{{}, directory_.path() / "tls.key"}};
  }
  void write(const Issued& issued) const {
    directory_.replace("tls.crt", issued.certificate());
    directory_.replace("tls.key", issued.key());
  }
  static std::string said(const Result<>& result) { return result ? "usable" : result.error().message; }

  test::Directory directory_;
  Issued first_;
  Issued second_;
};

TEST_F(ClientCertificates, FollowTheirFiles) {
  write(first_);
  ClientCertificate certificate = files();
  ASSERT_EQ(said(certificate.refresh()), "usable");
  EXPECT_EQ(certificate.certificate(), first_.certificate());
  EXPECT_EQ(certificate.key(), first_.key());
  write(second_);
  ASSERT_EQ(said(certificate.refresh()), "usable");
  EXPECT_EQ(certificate.certificate(), second_.certificate());
  EXPECT_EQ(certificate.key(), second_.key());
}

TEST_F(ClientCertificates, AreReplacedAsAPairOnly) {
  write(first_);
  ClientCertificate certificate = files();
  ASSERT_EQ(said(certificate.refresh()), "usable");
  directory_.replace("tls.crt", second_.certificate());
  ASSERT_EQ(said(certificate.refresh()), "usable");
  EXPECT_EQ(certificate.certificate(), first_.certificate());
  EXPECT_EQ(certificate.key(), first_.key());
  directory_.replace("tls.key", second_.key());
  ASSERT_EQ(said(certificate.refresh()), "usable");
  EXPECT_EQ(certificate.certificate(), second_.certificate());
  EXPECT_EQ(certificate.key(), second_.key());
}

TEST_F(ClientCertificates, OneFileThatALinkLeadsToMayHaveBoth) {
  directory_.write("1.pem", first_.certificate() + first_.key());
  directory_.write("2.pem", second_.certificate() + second_.key());
  const auto current = directory_.path() / "current.pem";
  std::filesystem::create_symlink("1.pem", current);
  ClientCertificate certificate(Pem{{}, current}, Pem{{}, current});
  ASSERT_EQ(said(certificate.refresh()), "usable");
  std::filesystem::remove(current);
  std::filesystem::create_symlink("2.pem", current);
  ASSERT_EQ(said(certificate.refresh()), "usable");
  EXPECT_EQ(certificate.key(), second_.certificate() + second_.key());
}

TEST_F(ClientCertificates, TheLastPairServesUntilItIsRejected) {
  write(first_);
  ClientCertificate certificate = files();
  ASSERT_EQ(said(certificate.refresh()), "usable");
  directory_.remove("tls.key");
  EXPECT_EQ(said(certificate.refresh()), "usable");
  EXPECT_EQ(certificate.key(), first_.key());
  certificate.reject();
  EXPECT_EQ(said(certificate.refresh()),
            (directory_.path() / "tls.key").string() + " cannot be read: No such file or directory");
  write(second_);
  EXPECT_EQ(said(certificate.refresh()), "usable");
  EXPECT_EQ(certificate.key(), second_.key());
}

TEST_F(ClientCertificates, MayBeGivenAsTextBesideAFile) {
  directory_.write("tls.key", first_.key());
  ClientCertificate certificate(Pem{first_.certificate(), {}}, Pem{{}, directory_.path() / "tls.key"});
  EXPECT_EQ(said(certificate.refresh()), "usable");
  certificate.reject();
  EXPECT_EQ(said(certificate.refresh()), "usable");
  EXPECT_EQ(certificate.certificate(), first_.certificate());
}

}  // namespace
}  // namespace fairlead::kube
