// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/plugin_credentials.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "tests/unit/kube/access/certificates.h"

namespace fairlead::kube {
namespace {

namespace json = boost::json;

constexpr const char* kVersion = "client.authentication.k8s.io/v1";

// What a plugin says whose status is this.
std::string output(const std::string& status) {
  return R"({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": )" + status + "}";
}

std::string error(const std::string& text) {
  const auto credential = parse_exec_credential(text, kVersion);
  return credential ? "none" : credential.error().message;
}

TEST(ExecInfo, IsWhatPluginsAreTold) {
  EXPECT_EQ(json::parse(exec_info(kVersion, nullptr)),
            json::parse(R"({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                            "spec": {"interactive": false}})"));
  EXPECT_EQ(json::parse(exec_info(kVersion, json::parse(R"({"server": "https://a"})"))).at("spec"),
            json::parse(R"({"interactive": false, "cluster": {"server": "https://a"}})"));
}

TEST(ExecCredential, MayBeATokenOrACertificateOrBoth) {
  const Issued issued;
  const json::object pair{{"clientCertificateData", issued.certificate()}, {"clientKeyData", issued.key()}};
  const auto token = parse_exec_credential(output(R"({"token": "abc"})"), kVersion);
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_EQ(token->identity, (Identity{"Bearer abc", "", ""}));
  EXPECT_EQ(token->expires, std::nullopt);
  const auto certificate = parse_exec_credential(output(json::serialize(pair)), kVersion);
  ASSERT_TRUE(certificate) << certificate.error().message;
  EXPECT_EQ(certificate->identity, (Identity{"", issued.certificate(), issued.key()}));
  json::object all = pair;
  all["token"] = "abc";
  const auto both = parse_exec_credential(output(json::serialize(all)), kVersion);
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(both->identity, (Identity{"Bearer abc", issued.certificate(), issued.key()}));
}

struct Expiry {
  const char* text;
  long long seconds;  // since 1970
};

class Expiries : public testing::TestWithParam<Expiry> {};

TEST_P(Expiries, AreTimesWithAZone) {
  const auto credential = parse_exec_credential(
      output(R"({"token": "abc", "expirationTimestamp": ")" + std::string(GetParam().text) + "\"}"), kVersion);
  ASSERT_TRUE(credential) << credential.error().message;
  ASSERT_TRUE(credential->expires);
  EXPECT_EQ(std::chrono::floor<std::chrono::seconds>(credential->expires->time_since_epoch()).count(),
            GetParam().seconds);
}

INSTANTIATE_TEST_SUITE_P(Times, Expiries,
                         testing::Values(Expiry{"2023-11-14T22:13:20Z", 1'700'000'000},
                                         Expiry{"2023-11-14T22:13:20.987654Z", 1'700'000'000},
                                         Expiry{"2023-11-15T00:13:20+02:00", 1'700'000'000},
                                         Expiry{"2023-11-14T16:43:20.5-05:30", 1'700'000'000},
                                         Expiry{"9999-12-31T23:59:59Z", 9'223'372'036}));

struct Bad {
  std::string text;
  const char* error;
};

void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.text;
}

class BadOutput : public testing::TestWithParam<Bad> {};

TEST_P(BadOutput, IsExplainedAndNotQuoted) {
  EXPECT_EQ(error(GetParam().text), "what it wrote" + std::string(GetParam().error));
}

constexpr const char* kBadTime = ": status.expirationTimestamp: must be a time as in RFC 3339";

INSTANTIATE_TEST_SUITE_P(
    Objects, BadOutput,
    testing::Values(Bad{"", " is not JSON: incomplete JSON"}, Bad{"Token: abc", " is not JSON: syntax error"},
                    Bad{output("{}") + "x", " is not JSON: extra data"}, Bad{"[]", ": must be an object, not a list"},
                    Bad{"{}", ": kind: must be ExecCredential"},
                    Bad{R"({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1beta1"})",
                        ": apiVersion: must be client.authentication.k8s.io/v1, as the plugin is configured"},
                    Bad{R"({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1"})",
                        ": status: is missing"}));
INSTANTIATE_TEST_SUITE_P(
    Statuses, BadOutput,
    testing::Values(
        Bad{output("{}"), ": status: has neither a token nor a client certificate"},
        Bad{output(R"({"token": 5})"), ": status.token: must be a string, not a number"},
        Bad{output(R"({"token": "secret secret"})"), ": status.token: the token has characters that no token may have"},
        Bad{output(R"({"clientKeyData": "x"})"), ": status: has only one of clientCertificateData and clientKeyData"},
        Bad{output(R"({"clientKeyData": "x", "clientCertificateData": "y"})"),
            ": status.clientCertificateData: the certificate: has no PEM certificate"},
        Bad{output(R"({"token": "a", "expirationTimestamp": ""})"), kBadTime},
        Bad{output(R"({"token": "a", "expirationTimestamp": "tomorrow"})"), kBadTime},
        Bad{output(R"({"token": "a", "expirationTimestamp": "2023-11-14T22:13:20"})"), kBadTime},
        Bad{output(R"({"token": "a", "expirationTimestamp": "2023-11-14T22:13:20Z "})"), kBadTime}));

}  // namespace
}  // namespace fairlead::kube
