// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/differential/cell.h"

#include <algorithm>

namespace fairlead::test::differential {
namespace {

const char* name_of(Client client) {
  constexpr const char* kNames[] = {"outside", "pod", "node", "other-pod", "backend"};
  return kNames[static_cast<int>(client)];
}

const char* name_of(Frontend frontend) {
  constexpr const char* kNames[] = {"cluster-ip", "node-port",     "node-port-second",
                                    "localhost",  "load-balancer", "external-ip"};
  return kNames[static_cast<int>(frontend)];
}

bool is_node_port(Frontend frontend) {
  return frontend == Frontend::kNodePort || frontend == Frontend::kNodePortSecond || frontend == Frontend::kLocalhost;
}

Address address_of(const Row& row, Frontend frontend, Family family, const Lab& lab, const Address& second) {
  switch (frontend) {
    case Frontend::kClusterIp:
      return Address::literal(row.cluster_ip(family));
    case Frontend::kNodePort:
      return lab.node(1).address(family);
    case Frontend::kNodePortSecond:
      return second;
    case Frontend::kLocalhost:
      return Address::literal(family == Family::IPv4 ? "127.0.0.1" : "::1");
    case Frontend::kLoadBalancer:
      return Address::literal(row.load_balancer_ip(family));
    case Frontend::kExternalIp:
      break;
  }
  return Address::literal(row.external_ip(family));
}

}  // namespace

std::string Cell::last_parts() const {
  return std::string(transport == Transport::Tcp ? "tcp" : "udp") + (family == Family::IPv4 ? "/ipv4" : "/ipv6");
}

std::string Cell::name() const {
  return behaviour + "/" + name_of(client) + "/" + name_of(frontend) + "/" + last_parts();
}

std::string Cell::group() const {
  if (compare == Compare::kBackends) return {};
  // A pod on another node is served there, but for node ports of this one.
  const bool elsewhere = client == Client::kOtherPod && is_node_port(frontend);
  return behaviour + "/" + name_of(client) + (elsewhere ? "/elsewhere/" : "/") + last_parts();
}

std::vector<Cell> cells_of(const std::vector<Row>& rows, const Lab& lab, const Address& second4,
                           const Address& second6) {
  std::vector<Cell> cells;
  for (const Row& row : rows) {
    const Behaviour& behaviour = row.behaviour;
    for (const Client client : behaviour.clients)
      for (const Frontend frontend : behaviour.frontends) {
        if (!has(row, frontend) || (frontend == Frontend::kLocalhost && client != Client::kNode)) continue;
        const auto port = static_cast<std::uint16_t>((is_node_port(frontend) ? row.node_port() : kServicePort) +
                                                     behaviour.port_offset);
        for (const Transport transport : {Transport::Tcp, Transport::Udp})
          for (const Family family : {Family::IPv4, Family::IPv6}) {
            const Address& second = family == Family::IPv4 ? second4 : second6;
            cells.push_back({behaviour.name,
                             client,
                             frontend,
                             transport,
                             family,
                             {address_of(row, frontend, family, lab, second), port},
                             static_cast<unsigned>(behaviour.endpoints.size()),
                             behaviour.compare});
          }
      }
  }
  return cells;
}

const Host& host_of(Client client, const Lab& lab) {
  switch (client) {
    case Client::kOutside:
      return lab.client();
    case Client::kPod:
      return lab.pod(1, 3);
    case Client::kNode:
      return lab.node(1);
    case Client::kOtherPod:
      return lab.pod(2, 3);
    case Client::kBackend:
      break;
  }
  return lab.pod(1, 1);
}

}  // namespace fairlead::test::differential
