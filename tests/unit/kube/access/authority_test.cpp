// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/authority.h"

#include <gtest/gtest.h>

#include "tests/support/directory.h"
#include "tests/unit/kube/access/certificates.h"

namespace fairlead::kube {
namespace {

TEST(Authority, IsThatOfItsFile) {
  const test::Directory directory;
  const Issued before, after;
  Cluster cluster;
  cluster.ca_pem = before.certificate();
  refresh_authority(cluster);
  EXPECT_EQ(cluster.ca_pem, before.certificate()) << "it was given as text";
  cluster.ca_file = directory.path() / "ca.crt";
  refresh_authority(cluster);
  EXPECT_EQ(cluster.ca_pem, before.certificate()) << "there is no file";
  directory.write("ca.crt", "-----BEGIN CERT");
  refresh_authority(cluster);
  EXPECT_EQ(cluster.ca_pem, before.certificate()) << "the file is half written";
  directory.write("ca.crt", before.certificate() + after.certificate());
  refresh_authority(cluster);
  EXPECT_EQ(cluster.ca_pem, before.certificate() + after.certificate());
}

}  // namespace
}  // namespace fairlead::kube
