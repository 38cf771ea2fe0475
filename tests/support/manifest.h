// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/socket.h"
#include "userspace/util/address.h"

// Kubernetes YAML in a line or two, for tests that run lbd.
namespace fairlead::test {

// One endpoint of both families.
struct Backend {
  Address ipv4;
  Address ipv6;
  std::string node;
  bool terminating = false;
  bool serving = true;
};

// A LoadBalancer Service of both families. Its number gives it addresses that no other number has: 10.96.0.N and
// fd00:96::N in the cluster, 192.0.2.N and 2001:db8:2::N outside.
struct ServiceText {
  std::string name = "web";
  int number = 10;
  std::uint16_t port = 80;             // TCP and UDP; endpoints have 8080
  std::uint16_t node_port = 0;         // 0: none
  std::vector<std::string> spec = {};  // more lines of it
  std::string port_text = {};          // stands for the TCP port's number, to write nonsense there
  std::string type = "LoadBalancer";
};

constexpr std::uint16_t kTargetPort = 8080;

Endpoint vip_of(int number, Family family, std::uint16_t port = 80);

std::string service_yaml(const ServiceText& service);
// The Service, and an EndpointSlice for each family.
std::string manifest(const ServiceText& service, const std::vector<Backend>& backends);

}  // namespace fairlead::test
