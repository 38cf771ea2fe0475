// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/in_cluster.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "tests/support/directory.h"
#include "tests/unit/kube/access/awaiting.h"
#include "tests/unit/kube/access/certificates.h"

namespace fairlead::kube {
namespace {

class InCluster : public testing::Test {
 protected:
  InCluster() {
    directory_.write("ca.crt", authority_.certificate());
    directory_.write("token", "one");
  }

  Pod pod() const { return {directory_.path(), "10.96.0.1", "443"}; }
  std::string error(const Pod& pod) {
    const auto access = in_cluster(pod, clock_.timing());
    return access ? "none" : access.error().message;
  }

  boost::asio::io_context io_;
  test::Directory directory_;
  Issued authority_;
  HandClock clock_;
};

TEST_F(InCluster, AServiceAccountHasAllThatIsNeeded) {
  const auto access = in_cluster(pod(), clock_.timing());
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->cluster.host, "10.96.0.1");
  EXPECT_EQ(access->cluster.port, 443);
  EXPECT_TRUE(access->cluster.tls);
  EXPECT_EQ(access->cluster.ca_pem, authority_.certificate());
  EXPECT_EQ(access->cluster.ca_file, directory_.path() / "ca.crt");
  const auto identity = await(io_, access->credentials->identity());
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(*identity, (Identity{"Bearer one", "", ""}));
}

TEST_F(InCluster, ItsTokenIsReadAgain) {
  const auto access = in_cluster(pod(), clock_.timing());
  ASSERT_TRUE(access) << access.error().message;
  directory_.replace("token", "two");
  EXPECT_EQ(await(io_, access->credentials->identity())->authorization, "Bearer one");
  clock_.time += std::chrono::minutes(1);
  EXPECT_EQ(await(io_, access->credentials->identity())->authorization, "Bearer two");
  directory_.replace("token", "three");
  access->credentials->reject();
  EXPECT_EQ(await(io_, access->credentials->identity())->authorization, "Bearer three");
}

TEST_F(InCluster, TheServerMayHaveAnIpv6Address) {
  Pod pod = this->pod();
  pod.host = "fd00:10:96::1";
  const auto access = in_cluster(pod, clock_.timing());
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->cluster.host, "fd00:10:96::1");
}

TEST_F(InCluster, OursIsWhatTheEnvironmentSays) {
  ::setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
  ::setenv("KUBERNETES_SERVICE_PORT", "6443", 1);
  const Pod pod = Pod::ours();
  ::unsetenv("KUBERNETES_SERVICE_HOST");
  ::unsetenv("KUBERNETES_SERVICE_PORT");
  EXPECT_EQ(pod.host, "fd00::1");
  EXPECT_EQ(pod.port, "6443");
  EXPECT_EQ(Pod::ours().host, "");
}

TEST_F(InCluster, WhatIsMissingOrWrongIsNamed) {
  const std::string directory = directory_.path();
  Pod pod = this->pod();
  pod.port = "https";
  EXPECT_EQ(error(pod), "service account: KUBERNETES_SERVICE_PORT: https: the port must be between 1 and 65535");
  EXPECT_EQ(error(Pod{}),
            "service account: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not both set: is this a pod?");
  directory_.write("token", "");
  EXPECT_EQ(error(this->pod()), "service account: " + directory + "/token: the token is empty");
  directory_.write("ca.crt", "");
  EXPECT_EQ(error(this->pod()), "service account: " + directory + "/ca.crt: has no PEM certificate");
  directory_.remove("ca.crt");
  EXPECT_EQ(error(this->pod()), "service account: " + directory + "/ca.crt cannot be read: No such file or directory");
}

}  // namespace
}  // namespace fairlead::kube
