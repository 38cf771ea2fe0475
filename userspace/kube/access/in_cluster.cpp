// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/in_cluster.h"

#include <cstdlib>
#include <utility>

#include "userspace/kube/access/access.h"
#include "userspace/kube/access/certificate.h"
#include "userspace/kube/access/user_credentials.h"

namespace fairlead::kube {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

Error failed(const std::string& message) {
  return {"service account: " + message, 0};
}

}  // namespace

Pod Pod::ours() {
  Pod pod;
  pod.host = variable("KUBERNETES_SERVICE_HOST");
  pod.port = variable("KUBERNETES_SERVICE_PORT");
  return pod;
}

Result<Access> in_cluster(const Pod& pod, const Timing& timing) {
  if (pod.host.empty() || pod.port.empty())
    return failed("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not both set: is this a pod?");
  const auto port = parse_port(pod.port);
  if (!port) return failed("KUBERNETES_SERVICE_PORT: " + pod.port + ": " + port.error().message);
  Cluster cluster;
  cluster.host = pod.host;
  cluster.port = *port;
  const Pem authority{{}, pod.directory / "ca.crt"};
  auto ca = authority.read();
  if (!ca) return failed(ca.error().message);
  if (const auto usable = check_certificates(ca->text); !usable)
    return failed(authority.file.string() + ": " + usable.error().message);
  cluster.ca_pem = std::move(ca->text);
  cluster.ca_file = authority.file;
  auto credentials = std::make_shared<UserCredentials>(
      UserCredentials::Proofs{"service account", {}, TokenFile(pod.directory / "token", {}, timing), {}});
  if (const auto identity = credentials->now(); !identity) return identity.error();
  return Access{std::move(cluster), std::move(credentials)};
}

}  // namespace fairlead::kube
