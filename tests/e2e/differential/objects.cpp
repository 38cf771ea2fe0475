// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/differential/objects.h"

#include <algorithm>
#include <set>

namespace fairlead::test::differential {
namespace {

namespace json = boost::json;

constexpr Family kFamilies[] = {Family::IPv4, Family::IPv6};
// The first addresses of a range are for others: 10.96.0.1 is the API server.
constexpr int kFirstNumber = 10;

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += by.size())
    text.replace(at, what.size(), by);
}

json::value parsed(const Row& row, std::string patch) {
  replace_all(patch, "NUMBER", std::to_string(row.number));
  replace_all(patch, "NODEPORT", std::to_string(row.node_port()));
  return json::parse(patch);
}

void merge(json::value& target, const json::value& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = json::object();
  for (const auto& [key, value] : patch.as_object()) {
    if (value.is_null())
      target.as_object().erase(key);
    else
      merge(target.as_object()[key], value);
  }
}

json::array both(const std::string& ipv4, const std::string& ipv6) {
  return {json::value(ipv4), json::value(ipv6)};
}

json::object service_port(const Row& row, const char* name, const char* protocol) {
  return {{"name", name}, {"protocol", protocol}, {"port", kServicePort}, {"nodePort", row.node_port()}};
}

json::object usual_service(const Row& row) {
  const auto each = [&row](std::string (Row::*address)(Family) const) {
    return both((row.*address)(Family::IPv4), (row.*address)(Family::IPv6));
  };
  json::array ingress;
  for (const Family family : kFamilies)
    ingress.push_back(json::object{{"ip", row.load_balancer_ip(family)}});
  return {
      {"apiVersion", "v1"},
      {"kind", "Service"},
      {"metadata", json::object{{"name", row.behaviour.name}, {"namespace", "default"}}},
      {"spec", json::object{{"type", "LoadBalancer"},
                            {"ipFamilyPolicy", "RequireDualStack"},
                            {"ipFamilies", json::array{"IPv4", "IPv6"}},
                            {"clusterIP", row.cluster_ip(Family::IPv4)},
                            {"clusterIPs", each(&Row::cluster_ip)},
                            {"externalIPs", each(&Row::external_ip)},
                            {"ports", json::array{service_port(row, "tcp", "TCP"), service_port(row, "udp", "UDP")}}}},
      {"status", json::object{{"loadBalancer", json::object{{"ingress", ingress}}}}}};
}

json::object usual_slice(const Row& row, int number, Family family) {
  const bool v4 = family == Family::IPv4;
  return {{"apiVersion", "discovery.k8s.io/v1"},
          {"kind", "EndpointSlice"},
          {"metadata", json::object{{"name", row.behaviour.name + "-" + std::to_string(number) + (v4 ? "-4" : "-6")},
                                    {"namespace", "default"},
                                    {"labels", json::object{{"kubernetes.io/service-name", row.behaviour.name},
                                                            {"endpointslice.kubernetes.io/managed-by", "test"}}}}},
          {"addressType", v4 ? "IPv4" : "IPv6"},
          {"ports", json::array{json::object{{"name", "tcp"}, {"protocol", "TCP"}, {"port", 8080}},
                                json::object{{"name", "udp"}, {"protocol", "UDP"}, {"port", 8080}}}},
          {"endpoints", json::array()}};
}

json::value endpoint_of(const Row& row, const EndpointSpec& spec, const Host& host, Family family) {
  json::value endpoint =
      json::object{{"addresses", json::array{json::value(host.address(family).to_string())}},
                   {"nodeName", host.name.substr(0, host.name.find('-'))},
                   {"conditions", json::object{{"ready", true}, {"serving", true}, {"terminating", false}}}};
  merge(endpoint, parsed(row, spec.patch));
  return endpoint;
}

json::object slice_of(const Row& row, int number, Family family, const Lab& lab) {
  json::value slice = usual_slice(row, number, family);
  for (const EndpointSpec& spec : row.behaviour.endpoints)
    if (spec.slice == number)
      slice.as_object()["endpoints"].as_array().push_back(endpoint_of(row, spec, *find_host(lab, spec.host), family));
  merge(slice, parsed(row, row.behaviour.slice));
  return slice.as_object();
}

const json::value* find(const json::value& value, std::string_view pointer) {
  boost::system::error_code error;
  return value.find_pointer({pointer.data(), pointer.size()}, error);
}

}  // namespace

std::string Row::cluster_ip(Family family) const {
  return (family == Family::IPv4 ? "10.96.0." : "fd00:96::") + std::to_string(number);
}

std::string Row::load_balancer_ip(Family family) const {
  return (family == Family::IPv4 ? "192.0.2." : "2001:db8:2::") + std::to_string(number);
}

std::string Row::external_ip(Family family) const {
  return (family == Family::IPv4 ? "192.0.2." : "2001:db8:2::") + std::to_string(number + 128);
}

std::uint16_t Row::node_port() const {
  return static_cast<std::uint16_t>(30000 + number);
}

std::vector<Row> numbered(const std::vector<Behaviour>& behaviours) {
  std::vector<Row> rows;
  for (const Behaviour& behaviour : behaviours)
    rows.push_back({behaviour, kFirstNumber + static_cast<int>(rows.size())});
  return rows;
}

std::optional<json::object> service_of(const Row& row) {
  json::value service = usual_service(row);
  merge(service, parsed(row, row.behaviour.service));
  if (service.is_null()) return std::nullopt;
  return service.as_object();
}

std::vector<json::object> slices_of(const Row& row, const Lab& lab) {
  std::set<int> numbers;
  for (const EndpointSpec& spec : row.behaviour.endpoints)
    numbers.insert(spec.slice);
  std::vector<json::object> slices;
  for (const int number : numbers)
    for (const Family family : kFamilies)
      slices.push_back(slice_of(row, number, family, lab));
  return slices;
}

bool has(const Row& row, Frontend frontend) {
  const auto service = service_of(row);
  if (!service) return true;
  const json::value value(*service);
  switch (frontend) {
    case Frontend::kClusterIp: {
      const json::value* ip = find(value, "/spec/clusterIP");
      return ip && *ip != "None";
    }
    case Frontend::kNodePort:
    case Frontend::kNodePortSecond:
    case Frontend::kLocalhost:
      return find(value, "/spec/ports/0/nodePort") != nullptr;
    case Frontend::kLoadBalancer:
      return find(value, "/status/loadBalancer/ingress") != nullptr;
    case Frontend::kExternalIp:
      return find(value, "/spec/externalIPs") != nullptr;
  }
  return false;
}

const Host* find_host(const Lab& lab, const std::string& name) {
  for (const Host* host : {&lab.client(), &lab.router()})
    if (host->name == name) return host;
  for (const Node& node : lab.nodes()) {
    if (node.name == name) return &node;
    for (const Pod& pod : node.pods)
      if (pod.name == name) return &pod;
  }
  return nullptr;
}

}  // namespace fairlead::test::differential
