// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/access.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::kube {
namespace {

struct Row {
  const char* url;
  const char* meaning;
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.url;
}

std::string meaning(const Result<Cluster>& server) {
  if (!server) return server.error().message;
  return (server->tls ? "tls " : "plain ") + server->host + " " + std::to_string(server->port) + " '" +
         server->base_path + "'";
}

class ServerUrl : public testing::TestWithParam<Row> {};

TEST_P(ServerUrl, SaysWhereTheServerIs) {
  EXPECT_EQ(meaning(parse_server(GetParam().url)), GetParam().meaning);
}

constexpr const char* kForm = "must be https://host[:port][/path], or http";
constexpr const char* kPort = "the port must be between 1 and 65535";
constexpr const char* kMore = "must have neither a user nor a query nor a fragment";

INSTANTIATE_TEST_SUITE_P(
    Good, ServerUrl,
    testing::Values(Row{"https://k8s.example", "tls k8s.example 443 ''"},
                    Row{"https://k8s.example:6443/", "tls k8s.example 6443 ''"},
                    Row{"HTTPS://10.0.0.1:6443", "tls 10.0.0.1 6443 ''"},
                    Row{"https://[2001:db8::1]:6443", "tls 2001:db8::1 6443 ''"},
                    Row{"https://[::1]", "tls ::1 443 ''"}, Row{"http://localhost", "plain localhost 80 ''"},
                    Row{"https://r.example/k8s/clusters/c-1//", "tls r.example 443 '/k8s/clusters/c-1'"},
                    Row{"https://r.example/a%20b", "tls r.example 443 '/a%20b'"},
                    Row{"https://r.example:", "tls r.example 443 ''"}));
INSTANTIATE_TEST_SUITE_P(Bad, ServerUrl,
                         testing::Values(Row{"", kForm}, Row{"k8s.example", kForm}, Row{"k8s.example:6443", kForm},
                                         Row{"10.0.0.1:6443", kForm}, Row{"ftp://k8s.example", kForm},
                                         Row{"https://", kForm}, Row{"https:///path", kForm},
                                         Row{"https://::1:6443", kForm}, Row{"https://a b", kForm},
                                         Row{"https://a:0", kPort}, Row{"https://a:65536", kPort},
                                         Row{"https://a:99999999999", kPort}, Row{"https://me:pass@a", kMore},
                                         Row{"https://a/?x=1", kMore}, Row{"https://a#x", kMore}));

}  // namespace
}  // namespace fairlead::kube
