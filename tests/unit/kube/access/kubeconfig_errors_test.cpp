// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/kube/access/kubeconfig_fixture.h"

namespace fairlead::kube {
namespace {

// What is wrong with a text, which may contain %CERT%, %KEY%, %OTHERKEY% and %DIR%; so may what is said of it.
struct Bad {
  std::string text;
  std::string error;
};

void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.text;
}

class BadKubeconfig : public KubeconfigTest, public testing::WithParamInterface<Bad> {
 protected:
  std::string filled(std::string text) const {
    for (const auto& [name, value] :
         {std::pair("%CERT%", base64_encode(issued_.certificate())), std::pair("%KEY%", base64_encode(issued_.key())),
          std::pair("%OTHERKEY%", base64_encode(Issued().key())), std::pair("%DIR%", directory_.path().string())})
      if (const std::size_t at = text.find(name); at != text.npos)
        text.replace(at, std::string_view(name).size(), value);
    return text;
  }
};

TEST_P(BadKubeconfig, IsExplainedByEntryAndField) {
  EXPECT_EQ(error(filled(GetParam().text)), filled(GetParam().error));
}

Bad text(const std::string& text, const std::string& error) {
  return {text, error};
}
Bad cluster(const std::string& fields, const std::string& error) {
  return {config_text(fields, ""), "cluster 'home': " + error};
}
Bad user(const std::string& fields, const std::string& error) {
  return {config_text(kServer, fields), "user 'edge': " + error};
}
Bad exec(const std::string& fields, const std::string& error) {
  return user("exec: {" + fields + "}", error);
}

INSTANTIATE_TEST_SUITE_P(
    Files, BadKubeconfig,
    testing::Values(text("a: 1\na: 2\n", "document 1, line 2, column 1: the key 'a' stands twice in the map"),
                    text("[]", "must be an object, not a list"), text("kind: Pod", "kind: must be Config"),
                    text("apiVersion: v2", "apiVersion: must be v1"),
                    text("a: 1\n---\nb: 1\n", "has several documents, only one is possible"),
                    text("", "current-context: is missing, and no context is asked for"),
                    text("current-context: 5", "current-context: must be a string, not a number"),
                    text("users: {}", "users: must be a list, not an object"),
                    text("users: [5]", "users[0]: must be an object, not a number"),
                    text("users: [{name: 5}]", "users[0].name: must be a string, not a number"),
                    text("clusters: [{name: a}, {name: b}, {name: a}]",
                         "clusters[2].name: 'a' stands twice in the list")));
INSTANTIATE_TEST_SUITE_P(
    Contexts, BadKubeconfig,
    testing::Values(text("current-context: x", "current-context: no context is called 'x'"),
                    text("{current-context: x, contexts: [{name: x}]}", "context 'x': cluster: is missing"),
                    text("{current-context: x, contexts: [{name: x, context: 5}]}",
                         "context 'x': must be an object, not a number"),
                    text("{current-context: x, contexts: [{name: x, context: {cluster: c}}]}",
                         "context 'x': cluster: no cluster is called 'c'"),
                    text("{current-context: x, contexts: [{name: x, context: {cluster: c, user: u}}],\n"
                         " clusters: [{name: c, cluster: {server: 'https://c'}}]}",
                         "context 'x': user: no user is called 'u'")));
INSTANTIATE_TEST_SUITE_P(
    Clusters, BadKubeconfig,
    testing::Values(
        cluster("", "server: is missing"), cluster("server: 5", "server: must be a string, not a number"),
        cluster("server: k8s.example", "server: 'k8s.example': must be https://host[:port][/path], or http"),
        cluster("server: https://a, proxy-url: 'http://p'", "proxy-url: is not supported"),
        cluster("server: https://a, insecure-skip-tls-verify: 'true'",
                "insecure-skip-tls-verify: must be a boolean, not a string"),
        cluster("server: https://a, tls-server-name: [a]", "tls-server-name: must be a string, not a list"),
        cluster("server: https://a, certificate-authority-data: '-'", "certificate-authority-data: is not base64"),
        cluster("server: https://a, certificate-authority-data: YWJj",
                "certificate-authority-data: has no PEM certificate"),
        cluster("server: https://a, certificate-authority: none",
                "certificate-authority: %DIR%/none cannot be read: No such file or directory"),
        cluster("server: https://a, certificate-authority: none, certificate-authority-data: YWJj",
                "certificate-authority-data: cannot be together with certificate-authority"),
        cluster("server: https://a, insecure-skip-tls-verify: true, certificate-authority-data: %CERT%",
                "insecure-skip-tls-verify: cannot be together with a certificate authority")));
INSTANTIATE_TEST_SUITE_P(
    Users, BadKubeconfig,
    testing::Values(user("token: 5", "token: must be a string, not a number"),
                    user("token: 'a b'", "token: the token has characters that no token may have"),
                    user("tokenFile: none", "tokenFile: %DIR%/none cannot be read: No such file or directory"),
                    user("token: a, username: b", "username: cannot be together with a token"),
                    user("token: a, password: b", "password: cannot be together with a token"),
                    user("password: 5", "password: must be a string, not a number"),
                    user("as: admin", "as: impersonation is not supported"),
                    user("as-groups: [admin]", "as-groups: impersonation is not supported"),
                    user("auth-provider: {name: gcp}", "auth-provider: is not supported, an exec plugin is"),
                    user("client-certificate-data: %CERT%",
                         "client-certificate-data: needs client-key or client-key-data beside it"),
                    user("client-certificate-data: '!', client-key-data: %KEY%",
                         "client-certificate-data: is not base64"),
                    user("client-certificate-data: %CERT%, client-key-data: x", "client-key-data: is not base64"),
                    user("client-certificate-data: %CERT%, client-key-data: %OTHERKEY%",
                         "client-certificate-data: the key is not that of the certificate"),
                    user("client-certificate: a, client-certificate-data: %CERT%, client-key-data: %KEY%",
                         "client-certificate-data: cannot be together with client-certificate"),
                    user("client-certificate: none, client-key-data: %KEY%",
                         "client-certificate: %DIR%/none cannot be read: No such file or directory")));
INSTANTIATE_TEST_SUITE_P(
    Plugins, BadKubeconfig,
    testing::Values(
        exec("", "exec.apiVersion: is missing"),
        exec("apiVersion: client.authentication.k8s.io/v1alpha1, command: x",
             "exec.apiVersion: must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1"),
        exec("apiVersion: client.authentication.k8s.io/v1beta1", "exec.command: is missing"),
        exec("apiVersion: client.authentication.k8s.io/v1, command: x", "exec.interactiveMode: is missing"),
        exec("apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always",
             "exec.interactiveMode: Always is not supported, there is nobody to ask"),
        exec("apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: never",
             "exec.interactiveMode: must be Never, IfAvailable or Always"),
        exec("apiVersion: client.authentication.k8s.io/v1beta1, command: x, args: [a, 5]",
             "exec.args[1]: must be a string, not a number"),
        exec("apiVersion: client.authentication.k8s.io/v1beta1, command: x, env: [{value: a}]",
             "exec.env[0].name: is missing"),
        exec("apiVersion: client.authentication.k8s.io/v1beta1, command: x, env: {A: b}",
             "exec.env: must be a list, not an object"),
        exec("apiVersion: client.authentication.k8s.io/v1beta1, command: x, provideClusterInfo: 1",
             "exec.provideClusterInfo: must be a boolean, not a number")));

TEST_F(BadKubeconfig, SecretsOfTheWrongTypeAreNotQuoted) {
  for (const char* field : {"token: [hunter2]", "password: {hunter2: 1}", "client-key-data: [hunter2]",
                            "username: a, password: hunter2, token: hunter2"})
    EXPECT_THAT(error(config_text(kServer, field)), testing::Not(testing::HasSubstr("hunter2"))) << field;
}

// As long as nobody asks for them.
TEST_F(BadKubeconfig, EntriesOfOthersMayHaveWhatIsNotSupported) {
  const auto access =
      read(config_text(kServer, "token: abc") + "- name: other\n  user: {auth-provider: {name: gcp}}\n");
  EXPECT_EQ(authorization_of(access), "Bearer abc");
}

}  // namespace
}  // namespace fairlead::kube
