// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/access.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "userspace/util/endpoint.h"
#include "userspace/util/text.h"

namespace fairlead::kube {

std::string Cluster::authority() const {
  return host_port_text(host, port);
}

std::string Cluster::url() const {
  return (tls ? "https://" : "http://") + authority() + base_path;
}

Result<std::uint16_t> parse_port(std::string_view text) {
  const auto port = to_number<std::uint16_t>(text);
  if (!port || *port == 0) return Error{"the port must be between 1 and 65535", 0};
  return *port;
}

Result<Cluster> parse_server(std::string_view text) {
  const auto parsed = boost::urls::parse_uri(text);
  const bool tls = parsed && parsed->scheme_id() == boost::urls::scheme::https;
  if (!parsed || (!tls && parsed->scheme_id() != boost::urls::scheme::http) || parsed->host().empty())
    return Error{"must be https://host[:port][/path], or http", 0};
  if (parsed->has_userinfo() || parsed->has_query() || parsed->has_fragment())
    return Error{"must have neither a user nor a query nor a fragment", 0};
  Cluster cluster;
  cluster.tls = tls;
  cluster.host = parsed->host_address();
  cluster.port = tls ? 443 : 80;
  if (!parsed->port().empty()) {
    const auto port = parse_port(parsed->port());
    if (!port) return port.error();
    cluster.port = *port;
  }
  cluster.base_path = std::string(parsed->encoded_path());
  while (cluster.base_path.ends_with('/'))
    cluster.base_path.pop_back();
  return cluster;
}

}  // namespace fairlead::kube
