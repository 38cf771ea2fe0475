// SPDX-License-Identifier: Apache-2.0
#include "tests/support/shell.h"
#include "tests/unit/kube/access/kubeconfig_fixture.h"

namespace fairlead::kube {
namespace {

// What we make of files is what we make of the single one that kubectl makes of them.
class Kubectl : public KubeconfigTest {
 protected:
  void SetUp() override {
    if (test::in_shell("kubectl version --client 2>&1").status != 0)
      GTEST_SKIP() << "kubectl is not there or does not run";
  }

  // Whether kubectl accepts the files at all; if so, what it makes of them is in "flat".
  bool flatten(const std::string& files) const {
    const auto flat = test::in_shell("KUBECONFIG=" + files + " kubectl config view --raw --flatten 2>/dev/null");
    if (flat.status == 0) directory_.write("flat", flat.out);
    return flat.status == 0;
  }
  std::string described(const Result<Access>& access) {
    if (!access) return access.error().message;
    const Cluster& cluster = access->cluster;
    const auto identity = identity_of(access);
    if (!identity) return identity.error().message;
    return cluster.host + ":" + std::to_string(cluster.port) + cluster.base_path + " " + cluster.server_name + " " +
           cluster.ca_pem + (cluster.skip_verify ? " skip " : " verify ") + identity->authorization + " " +
           identity->certificate_pem + identity->key_pem;
  }
};

TEST_F(Kubectl, MergesAsWeDo) {
  std::filesystem::create_directory(file("sub"));
  directory_.write("sub/ca.crt", issued_.certificate());
  directory_.write("sub/tls.pem", issued_.certificate() + issued_.key());
  directory_.write("a",
                   "clusters: [{name: home, cluster: {server: 'https://a/x'}}]\n"
                   "contexts: [{name: a, context: {cluster: home, user: edge}}]\n");
  directory_.write("sub/b", config_text("server: https://b, certificate-authority: ca.crt, tls-server-name: b",
                                        "client-certificate: tls.pem, client-key: ../sub/tls.pem, token: '5'") +
                                "- name: pass\n  user: {username: me, password: secret}\n");
  directory_.write("c",
                   "current-context: c\n"
                   "clusters: [{name: away, cluster: {server: 'https://[::1]:7', insecure-skip-tls-verify: yes}}]\n"
                   "contexts: [{name: here, context: {cluster: away, user: pass}},\n"
                   "           {name: b, context: {cluster: away, user: pass}},\n"
                   "           {name: d, context: {cluster: away, user: edge}}]\n");
  const std::string list =
      file("none").string() + ":" + file("a").string() + "::" + file("sub/b").string() + ":" + file("c").string();
  ASSERT_TRUE(flatten(list));
  for (const char* context : {"", "a", "here", "b", "d"}) {
    const auto ours = from_kubeconfig(kubeconfig_files(list), context);
    ASSERT_TRUE(ours) << context << ": " << ours.error().message;
    EXPECT_EQ(described(ours), described(from_kubeconfig({file("flat")}, context))) << context;
  }
}

TEST_F(Kubectl, AcceptsWhatWeAccept) {
  const std::string certificate = base64_encode(issued_.certificate());
  const std::string broken_up = certificate.substr(0, 8) + "\\n" + certificate.substr(8);
  const std::string good = config_text(kServer, "token: abc");
  for (const std::string& text :
       {good, "\xef\xbb\xbf" + good, good + "---\n",
        config_text("server: https://a, certificate-authority-data: \"" + broken_up + "\"", ""),
        config_text("server: https://a, unknown: 1, extensions: []", "token: !!str 5"),
        std::string("{\n\t\"contexts\": [{\"name\": \"here\", \"context\": {\"cluster\": \"c\"}}],\n"
                    "\t\"current-context\": \"here\",\n"
                    "\t\"clusters\": [{\"name\": \"c\", \"cluster\": {\"server\": \"https://a\"}}]}\n")}) {
    const auto ours = read(text);
    ASSERT_TRUE(ours) << text << ours.error().message;
    ASSERT_TRUE(flatten(file().string())) << text;
    EXPECT_EQ(described(ours), described(from_kubeconfig({file("flat")})));
  }
}

TEST_F(Kubectl, RefusesWhatWeRefuse) {
  for (const std::string& text :
       {std::string("[]"), std::string("kind: Pod\napiVersion: v1\n"), std::string("kind: Config\napiVersion: v2\n"),
        config_text(kServer, "token: 5"), config_text("server: https://a, insecure-skip-tls-verify: 'true'", ""),
        config_text("server: https://a, certificate-authority-data: 'YQ'", ""),
        config_text("server: https://a, certificate-authority: none", ""),
        config_text(kServer, "token: abc") + "- name: edge\n  user: {token: def}\n"}) {
    EXPECT_FALSE(read(text)) << text;
    EXPECT_FALSE(flatten(file().string())) << text;
  }
}

}  // namespace
}  // namespace fairlead::kube
