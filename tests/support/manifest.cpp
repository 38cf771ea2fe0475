// SPDX-License-Identifier: Apache-2.0
#include "tests/support/manifest.h"

namespace fairlead::test {
namespace {

std::string port_yaml(const ServiceText& service, const char* name, const char* protocol, const std::string& number) {
  return "  - {name: " + std::string(name) + ", protocol: " + protocol + ", port: " + number +
         (service.node_port ? ", nodePort: " + std::to_string(service.node_port) : "") + "}\n";
}

std::string slice_yaml(const std::string& service, Family family, const std::vector<Backend>& backends) {
  const std::string name = family == Family::IPv4 ? "IPv4" : "IPv6";
  const std::string target = std::to_string(kTargetPort);
  std::string yaml =
      "---\n"
      "apiVersion: discovery.k8s.io/v1\n"
      "kind: EndpointSlice\n"
      "metadata:\n"
      "  name: " +
      service + (family == Family::IPv4 ? "-4\n" : "-6\n") +
      "  namespace: default\n"
      "  labels: {kubernetes.io/service-name: " +
      service +
      "}\n"
      "addressType: " +
      name +
      "\n"
      "ports:\n"
      "- {name: tcp, protocol: TCP, port: " +
      target +
      "}\n"
      "- {name: udp, protocol: UDP, port: " +
      target +
      "}\n"
      "endpoints:\n";
  for (const Backend& backend : backends) {
    const Address& address = family == Family::IPv4 ? backend.ipv4 : backend.ipv6;
    yaml += "- addresses: [\"" + address.to_string() +
            "\"]\n"
            "  nodeName: " +
            backend.node + "\n";
    if (backend.terminating || !backend.serving)
      yaml += std::string("  conditions: {ready: false, serving: ") + (backend.serving ? "true" : "false") +
              ", terminating: " + (backend.terminating ? "true" : "false") + "}\n";
  }
  return yaml;
}

}  // namespace

Endpoint vip_of(int number, Family family, std::uint16_t port) {
  const std::string net = family == Family::IPv4 ? "192.0.2." : "2001:db8:2::";
  return {Address::literal(net + std::to_string(number)), port};
}

std::string service_yaml(const ServiceText& service) {
  const std::string number = std::to_string(service.number), port = std::to_string(service.port);
  std::string yaml =
      "apiVersion: v1\n"
      "kind: Service\n"
      "metadata: {name: " +
      service.name +
      ", namespace: default}\n"
      "spec:\n"
      "  type: " +
      service.type +
      "\n"
      "  clusterIPs: [10.96.0." +
      number + ", \"fd00:96::" + number +
      "\"]\n"
      "  ipFamilies: [IPv4, IPv6]\n";
  for (const std::string& line : service.spec)
    yaml += "  " + line + "\n";
  yaml += "  ports:\n" + port_yaml(service, "tcp", "TCP", service.port_text.empty() ? port : service.port_text) +
          port_yaml(service, "udp", "UDP", port) +
          "status:\n"
          "  loadBalancer:\n"
          "    ingress:\n"
          "    - {ip: " +
          vip_of(service.number, Family::IPv4).address.to_string() +
          "}\n"
          "    - {ip: \"" +
          vip_of(service.number, Family::IPv6).address.to_string() + "\"}\n";
  return yaml;
}

std::string manifest(const ServiceText& service, const std::vector<Backend>& backends) {
  return service_yaml(service) + slice_yaml(service.name, Family::IPv4, backends) +
         slice_yaml(service.name, Family::IPv6, backends);
}

}  // namespace fairlead::test
