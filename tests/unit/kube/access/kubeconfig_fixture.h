// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/support/directory.h"
#include "tests/unit/kube/access/awaiting.h"
#include "tests/unit/kube/access/certificates.h"
#include "userspace/kube/access/base64.h"
#include "userspace/kube/access/kubeconfig.h"

namespace fairlead::kube {

// A kubeconfig with one context, whose cluster and user have these fields, in YAML's flow style without braces.
inline std::string config_text(const std::string& cluster, const std::string& user) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: here\ncontexts:\n- name: here\n"
         "  context: {cluster: home, user: edge}\nclusters:\n- name: home\n  cluster: {" +
         cluster + "}\nusers:\n- name: edge\n  user: {" + user + "}\n";
}

constexpr const char* kServer = "server: https://k8s.example:6443";

class KubeconfigTest : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& name = "config") const { return directory_.path() / name; }
  Result<Access> read() { return from_kubeconfig({file()}, {}, {}, clock_.timing()); }
  Result<Access> read(const std::string& text) {
    directory_.write("config", text);
    return read();
  }
  // What stands after the file's name.
  std::string error(const std::string& text) {
    const auto access = read(text);
    if (access) return "none";
    const std::string& message = access.error().message;
    const std::string where = "kubeconfig " + file().string() + ": ";
    return message.starts_with(where) ? message.substr(where.size()) : message;
  }
  Result<Identity> identity_of(const Result<Access>& access) {
    if (!access) return access.error();
    return await(io_, access->credentials->identity());
  }
  std::string authorization_of(const Result<Access>& access) {
    const auto identity = identity_of(access);
    return identity ? identity->authorization : identity.error().message;
  }

  boost::asio::io_context io_;
  test::Directory directory_;
  Issued issued_;
  HandClock clock_;
};

}  // namespace fairlead::kube
