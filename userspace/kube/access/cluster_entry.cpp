// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/cluster_entry.h"

#include "userspace/document/text.h"
#include "userspace/kube/access/access.h"
#include "userspace/kube/access/base64.h"
#include "userspace/kube/access/certificate.h"
#include "userspace/kube/access/entry.h"

namespace fairlead::kube {
namespace {

namespace json = boost::json;
using document::BadItem;
using document::Reader;

constexpr std::string_view kPluginExtension = "client.authentication.k8s.io/exec";

// Not one sum: g++ 12 sees an overlap in it when it optimises for a release.
std::string quoted(const std::string& url, const Error& error) {
  std::string text = "'";
  text += document::shortened(url);
  return text + "': " + error.message;
}

void read_authority(const Reader& reader, const Entry& entry, Cluster& cluster) {
  const auto authority = read_pem(reader, entry, "certificate-authority");
  if (!authority.given()) return;
  const auto content = authority.read();
  const auto usable = content ? check_certificates(content->text) : Result<>(content.error());
  if (usable) {
    cluster.ca_pem = content->text;
    cluster.ca_file = authority.file;
  } else {
    pem_field(reader, authority, "certificate-authority").complain(usable.error().message);
  }
}

json::value plugin_config(const Reader& extensions) {
  json::value config;
  extensions.items<int>(BadItem::kBreaksObject, [&](const Reader& item) -> std::optional<int> {
    const Reader extension = item["extension"];
    if (item["name"].text() == kPluginExtension && !extension.absent()) config = *extension.value();
    return std::nullopt;
  });
  return config;
}

json::value for_plugins(const Cluster& cluster, const std::string& url, json::value config) {
  json::object told{{"server", url}, {"config", std::move(config)}};
  if (!cluster.server_name.empty()) told["tls-server-name"] = cluster.server_name;
  if (cluster.skip_verify) told["insecure-skip-tls-verify"] = true;
  if (!cluster.ca_pem.empty()) told["certificate-authority-data"] = base64_encode(cluster.ca_pem);
  return told;
}

// What an entry says besides where its server is.
ClusterEntry read_trust(const Reader& reader, const Entry& entry, Cluster cluster, const std::string& url) {
  read_authority(reader, entry, cluster);
  cluster.skip_verify = reader["insecure-skip-tls-verify"].boolean(false);
  if (cluster.skip_verify && !cluster.ca_pem.empty())
    reader["insecure-skip-tls-verify"].complain("cannot be together with a certificate authority");
  if (!reader["proxy-url"].empty()) reader["proxy-url"].complain("is not supported");
  return {cluster, for_plugins(cluster, url, plugin_config(reader["extensions"]))};
}

ClusterEntry read(const Reader& reader, const Entry& entry) {
  const std::string url = reader["server"].required().text();
  if (url.empty()) return {};
  auto cluster = parse_server(url);
  if (!cluster) {
    reader["server"].complain(quoted(url, cluster.error()));
    return {};
  }
  cluster->server_name = reader["tls-server-name"].text();
  return read_trust(reader, entry, *std::move(cluster), url);
}

}  // namespace

Result<Cluster> parse_master(const std::string& url) {
  auto cluster = parse_server(url);
  if (!cluster) return Error{"master: " + quoted(url, cluster.error()), 0};
  return cluster;
}

Result<ClusterEntry> read_cluster(const Entry& entry, const std::string& master) {
  const auto elsewhere = master.empty() ? Cluster() : parse_master(master);
  if (!elsewhere) return elsewhere.error();
  return read_value(entry.body, entry.where(), entry.object(), [&](const Reader& reader) {
    return master.empty() ? read(reader, entry) : read_trust(reader, entry, *elsewhere, master);
  });
}

}  // namespace fairlead::kube
