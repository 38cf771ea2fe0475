// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/exec_credential.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>

#include "userspace/kube/access/entry.h"
#include "userspace/kube/access/pem.h"
#include "userspace/kube/access/token_file.h"
#include "userspace/util/timestamp.h"

namespace fairlead::kube {
namespace {

namespace json = boost::json;
using document::Reader;

void read_expiry(const Reader& from, ExecCredential& credential) {
  if (from.absent()) return;
  const auto expires = parse_timestamp(from.text());
  if (!expires) return from.complain("must be a time as in RFC 3339");
  credential.expires = std::chrono::floor<std::chrono::seconds>(*expires);
}

void read_identity(const Reader& status, Identity& identity) {
  const std::string token = status["token"].text();
  identity.certificate_pem = status["clientCertificateData"].text();
  identity.key_pem = status["clientKeyData"].text();
  if (!token.empty()) {
    if (auto value = bearer(token))
      identity.authorization = *std::move(value);
    else
      status["token"].complain(value.error().message);
  }
  if (identity.certificate_pem.empty() && identity.key_pem.empty()) {
    if (token.empty()) status.complain("has neither a token nor a client certificate");
  } else if (identity.certificate_pem.empty() || identity.key_pem.empty()) {
    status.complain("has only one of clientCertificateData and clientKeyData");
  } else if (const auto pair = check_pair(identity.certificate_pem, identity.key_pem); !pair) {
    status["clientCertificateData"].complain(pair.error().message);
  }
}

}  // namespace

std::string exec_info(std::string_view api_version, const json::value& cluster) {
  json::object spec{{"interactive", false}};
  if (!cluster.is_null()) spec["cluster"] = cluster;
  return json::serialize(json::object{{"apiVersion", api_version}, {"kind", "ExecCredential"}, {"spec", spec}});
}

Result<ExecCredential> parse_exec_credential(std::string_view output, std::string_view api_version) {
  boost::system::error_code error;
  const json::value object = json::parse(output, error);
  if (error) return Error{"what it wrote is not JSON: " + error.message(), 0};
  return read_value(object, "what it wrote", "", [&](const Reader& reader) {
    ExecCredential credential;
    if (reader["kind"].text() != "ExecCredential") reader["kind"].complain("must be ExecCredential");
    if (reader["apiVersion"].text() != api_version)
      reader["apiVersion"].complain("must be " + std::string(api_version) + ", as the plugin is configured");
    const Reader status = reader["status"].required();
    if (status.absent()) return credential;
    read_identity(status, credential.identity);
    read_expiry(status["expirationTimestamp"], credential);
    return credential;
  });
}

}  // namespace fairlead::kube
