// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/kubeconfig.h"

#include "tests/unit/kube/access/kubeconfig_fixture.h"

namespace fairlead::kube {
namespace {

class Kubeconfig : public KubeconfigTest {};

TEST_F(Kubeconfig, SaysWhereTheClusterIs) {
  const auto access = read(config_text("server: 'https://[2001:db8::1]:6443/k8s/', tls-server-name: k8s.example", ""));
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->cluster.host, "2001:db8::1");
  EXPECT_EQ(access->cluster.port, 6443);
  EXPECT_TRUE(access->cluster.tls);
  EXPECT_EQ(access->cluster.base_path, "/k8s");
  EXPECT_EQ(access->cluster.server_name, "k8s.example");
  EXPECT_EQ(access->cluster.ca_pem, "");
  EXPECT_FALSE(access->cluster.skip_verify);
  EXPECT_EQ(identity_of(access).value(), Identity());
}

TEST_F(Kubeconfig, AnAuthorityIsAFileBesideItOrData) {
  directory_.write("ca.crt", issued_.certificate());
  const std::string server = kServer;
  for (const std::string& field :
       {std::string("certificate-authority: ca.crt"), "certificate-authority: " + file("ca.crt").string(),
        "certificate-authority-data: " + base64_encode(issued_.certificate())}) {
    const auto access = read(config_text(server + ", " + field, ""));
    ASSERT_TRUE(access) << access.error().message;
    EXPECT_EQ(access->cluster.ca_pem, issued_.certificate()) << field;
    EXPECT_EQ(access->cluster.ca_file, field.find("data") == std::string::npos ? file("ca.crt") : "") << field;
  }
  const auto access = read(config_text(server + ", insecure-skip-tls-verify: true", ""));
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_TRUE(access->cluster.skip_verify);
}

TEST_F(Kubeconfig, AMasterStandsForTheServer) {
  directory_.write("config", config_text("server: https://k8s.example, tls-server-name: k8s.example", "token: abc"));
  const auto access = from_kubeconfig({file()}, "", "https://10.0.0.1:6443");
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->cluster.host, "10.0.0.1");
  EXPECT_EQ(access->cluster.server_name, "") << "the other server's name says nothing about this one";
  EXPECT_EQ(authorization_of(access), "Bearer abc");
  directory_.write("config", config_text("", ""));
  EXPECT_TRUE(from_kubeconfig({file()}, "", "https://10.0.0.1")) << "no server is needed then";
  EXPECT_EQ(from_kubeconfig({file()}, "", "10.0.0.1:6443").error().message,
            "master: '10.0.0.1:6443': must be https://host[:port][/path], or http");
}

TEST_F(Kubeconfig, AUserMayHaveATokenOrAPassword) {
  EXPECT_EQ(authorization_of(read(config_text(kServer, "token: abc"))), "Bearer abc");
  EXPECT_EQ(authorization_of(read(config_text(kServer, "username: me, password: pa:ss"))), "Basic bWU6cGE6c3M=");
  EXPECT_EQ(authorization_of(read(config_text(kServer, "username: me"))), "Basic bWU6");
}

TEST_F(Kubeconfig, ATokenFileIsReadAgainAndComesBeforeAToken) {
  std::filesystem::create_directory(file("tokens"));
  directory_.write("tokens/one", "abc\n");
  const auto access = read(config_text(kServer, "token: other, tokenFile: ./tokens/one"));
  EXPECT_EQ(authorization_of(access), "Bearer abc");
  directory_.replace("tokens/one", "def\n");
  EXPECT_EQ(authorization_of(access), "Bearer abc");
  clock_.time += std::chrono::minutes(1);
  EXPECT_EQ(authorization_of(access), "Bearer def");
  EXPECT_EQ(authorization_of(read(config_text(kServer, "token: other, tokenFile: none"))), "Bearer other");
}

TEST_F(Kubeconfig, AUserMayHaveACertificateBesideAToken) {
  directory_.write("tls.crt", issued_.certificate());
  const std::string key = "client-key-data: " + base64_encode(issued_.key());
  const auto access = read(config_text(kServer, "token: abc, client-certificate: tls.crt, " + key));
  const auto identity = identity_of(access);
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(*identity, (Identity{"Bearer abc", issued_.certificate(), issued_.key()}));
}

TEST_F(Kubeconfig, ACertificateFollowsItsFiles) {
  const Issued next;
  directory_.write("tls.pem", issued_.certificate() + issued_.key());
  const auto access = read(config_text(kServer, "client-certificate: tls.pem, client-key: tls.pem"));
  EXPECT_EQ(identity_of(access).value().key_pem, issued_.certificate() + issued_.key());
  directory_.replace("tls.pem", next.certificate() + next.key());
  EXPECT_EQ(identity_of(access).value().key_pem, next.certificate() + next.key());
  directory_.remove("tls.pem");
  access->credentials->reject();
  EXPECT_EQ(authorization_of(access), "kubeconfig " + file().string() + ": user 'edge': " + file("tls.pem").string() +
                                          " cannot be read: No such file or directory");
}

TEST_F(Kubeconfig, AnyContextCanBeAskedFor) {
  directory_.write("config",
                   "contexts: [{name: a, context: {cluster: home, user: a}}, {name: b, context: {cluster: home}}]\n"
                   "clusters: [{name: home, cluster: {server: 'https://a'}}]\n"
                   "users: [{name: a, user: {token: abc}}]\n");
  EXPECT_EQ(authorization_of(from_kubeconfig({file()}, "a")), "Bearer abc");
  EXPECT_EQ(authorization_of(from_kubeconfig({file()}, "b")), "") << "nobody in particular";
  EXPECT_EQ(from_kubeconfig({file()}, "c").error().message,
            "kubeconfig " + file().string() + ": no context is called 'c'");
  EXPECT_EQ(from_kubeconfig({file()}).error().message,
            "kubeconfig " + file().string() + ": current-context: is missing, and no context is asked for");
}

TEST_F(Kubeconfig, OfSeveralFilesTheFirstThatHasANameCounts) {
  directory_.write("a", "clusters: [{name: home, cluster: {server: 'https://a'}}]\nusers: []\n");
  directory_.write("b", config_text("server: https://b, tls-server-name: b", "token: abc"));
  const auto access = from_kubeconfig({file("none"), file("a"), file("b")});
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->cluster.host, "a");
  EXPECT_EQ(access->cluster.server_name, "") << "entries are not mixed";
  EXPECT_EQ(authorization_of(access), "Bearer abc");
}

TEST_F(Kubeconfig, PathsAreRelativeToTheFileThatHasThem) {
  std::filesystem::create_directory(file("sub"));
  directory_.write("sub/token", "abc");
  directory_.write("a", "current-context: here");
  directory_.write("sub/b", config_text(kServer, "tokenFile: token"));
  EXPECT_EQ(authorization_of(from_kubeconfig({file("a"), file("sub/b")})), "Bearer abc");
}

TEST_F(Kubeconfig, FilesThatCannotBeReadAreNamed) {
  EXPECT_EQ(from_kubeconfig({}).error().message, "no kubeconfig is named");
  EXPECT_EQ(from_kubeconfig({file("x"), file("y")}).error().message,
            "kubeconfig " + file("x").string() + ": does not exist");
  EXPECT_EQ(from_kubeconfig({directory_.path()}).error().message,
            "kubeconfig " + directory_.path().string() + ": is not a regular file");
}

TEST(KubeconfigFiles, AreListedWithColons) {
  using Paths = std::vector<std::filesystem::path>;
  EXPECT_EQ(kubeconfig_files(""), Paths());
  EXPECT_EQ(kubeconfig_files("/a"), Paths{"/a"});
  EXPECT_EQ(kubeconfig_files(":/a::b c:/a:"), (Paths{"/a", "b c"}));
}

}  // namespace
}  // namespace fairlead::kube
