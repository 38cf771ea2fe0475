// SPDX-License-Identifier: Apache-2.0
#include <boost/json/parse.hpp>

#include "tests/unit/kube/access/kubeconfig_fixture.h"
#include "tests/unit/kube/access/scripts.h"

namespace fairlead::kube {
namespace {

namespace json = boost::json;

class KubeconfigPlugin : public KubeconfigTest {
 protected:
  // A user whose plugin gives the token "abc" after it has noted arguments and environment.
  std::string exec(const std::string& fields) const {
    const std::string out = directory_.path();
    std::filesystem::create_directory(file("bin"));
    write_script(directory_, "bin/plugin",
                 "echo \"$@\" > " + out + "/args\nprintenv KUBERNETES_EXEC_INFO > " + out + "/info\nprintenv > " + out +
                     "/env\n"
                     "echo '{\"apiVersion\": \"client.authentication.k8s.io/v1beta1\", \"kind\": \"ExecCredential\",' "
                     "'\"status\": {\"token\": \"abc\"}}'");
    return "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: bin/plugin, " + fields + "}";
  }
  json::value info() const { return json::parse(test::content_of(file("info"))); }
};

TEST_F(KubeconfigPlugin, IsRunAsItIsConfigured) {
  ::setenv("FAIRLEAD_UNIT_KEPT", "ours", 1);
  ::setenv("FAIRLEAD_UNIT_SET", "ours", 1);
  const auto access = read(config_text(
      kServer, exec("args: [get, token], env: [{name: FAIRLEAD_UNIT_SET, value: theirs}], interactiveMode: Never")));
  EXPECT_EQ(authorization_of(access), "Bearer abc");
  ::unsetenv("FAIRLEAD_UNIT_KEPT");
  ::unsetenv("FAIRLEAD_UNIT_SET");
  EXPECT_EQ(test::content_of(file("args")), "get token\n");
  const std::string variables = test::content_of(file("env"));
  EXPECT_NE(variables.find("FAIRLEAD_UNIT_KEPT=ours\n"), std::string::npos);
  EXPECT_NE(variables.find("FAIRLEAD_UNIT_SET=theirs\n"), std::string::npos);
  EXPECT_EQ(variables.find("FAIRLEAD_UNIT_SET=ours"), std::string::npos);
  EXPECT_EQ(info(), json::parse(R"({"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential",
                                    "spec": {"interactive": false}})"));
}

TEST_F(KubeconfigPlugin, IsToldOfTheClusterIfItWantsToKnow) {
  const std::string ca = base64_encode(issued_.certificate());
  const std::string cluster =
      "server: https://k8s.example/x, tls-server-name: other, certificate-authority-data: " + ca +
      ", extensions: [{name: other, extension: {a: b}}, "
      "{name: client.authentication.k8s.io/exec, extension: {audience: me}}]";
  EXPECT_EQ(authorization_of(read(config_text(cluster, exec("provideClusterInfo: true")))), "Bearer abc");
  EXPECT_EQ(info().at("spec").at("cluster"), json::value({{"server", "https://k8s.example/x"},
                                                          {"tls-server-name", "other"},
                                                          {"certificate-authority-data", ca},
                                                          {"config", {{"audience", "me"}}}}));
}

TEST_F(KubeconfigPlugin, IsNotRunWhereThereIsAToken) {
  EXPECT_EQ(authorization_of(read(config_text(kServer, "token: given, " + exec("args: []")))), "Bearer given");
  EXPECT_FALSE(std::filesystem::exists(file("args")));
}

TEST_F(KubeconfigPlugin, IsNamedWithItsUserWhenItFails) {
  const auto access = read(config_text(kServer, exec("args: []")));
  write_script(directory_, "bin/plugin", "echo no network >&2; exit 1");
  EXPECT_EQ(authorization_of(access), "kubeconfig " + file().string() + ": user 'edge': plugin '" +
                                          file("bin/plugin").string() + "': status 1: no network");
}

}  // namespace
}  // namespace fairlead::kube
