// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "userspace/compile/compiler.h"

// Services and slices in as few words as a scenario needs.
namespace fairlead::compile {

inline const model::Name kWeb{"default", "web"};
inline const NodeView kNode{"node1", "zone1", {}};

struct At {
  std::string address;
  std::string node = {};
  bool ready = true;
  bool serving = true;
  bool terminating = false;
  std::vector<std::string> zones = {};
  std::vector<std::string> nodes = {};
};
inline At terminating(std::string address, std::string node = "") {
  return {std::move(address), std::move(node), false, true, true};
}
inline At unready(std::string address, std::string node = "") {
  return {std::move(address), std::move(node), false, false, false};
}

inline std::shared_ptr<const model::EndpointSlice> slice(
    const std::vector<At>& endpoints, const std::string& name = "web-1", const model::Name& service = kWeb,
    const std::vector<model::EndpointPort>& ports = {{"", model::Protocol::kTcp, 8080}}) {
  model::EndpointSlice slice;
  slice.name = {service.space, name};
  slice.service = service;
  slice.ports = ports;
  for (const At& at : endpoints) {
    model::Endpoint endpoint;
    endpoint.address = Address::literal(at.address.c_str());
    endpoint.node_name = at.node;
    endpoint.ready = at.ready;
    endpoint.serving = at.serving;
    endpoint.terminating = at.terminating;
    endpoint.hint_zones = at.zones;
    endpoint.hint_nodes = at.nodes;
    slice.family = endpoint.address.family;
    slice.endpoints.push_back(std::move(endpoint));
  }
  return std::make_shared<const model::EndpointSlice>(std::move(slice));
}

inline model::Store::Slices slices(const std::vector<std::shared_ptr<const model::EndpointSlice>>& list) {
  model::Store::Slices slices;
  for (const auto& one : list)
    slices[one->name] = one;
  return slices;
}

inline model::Service service(const std::vector<std::string>& load_balancer_ips = {}, const model::Name& name = kWeb) {
  model::Service service;
  service.name = name;
  service.type = model::ServiceType::kLoadBalancer;
  service.cluster_ips = {Address::literal("10.96.0.1")};
  service.ports = {{"", model::Protocol::kTcp, 80, 30080}};
  for (const std::string& ip : load_balancer_ips)
    service.load_balancer_ips.push_back(Address::literal(ip.c_str()));
  return service;
}

// "10.96.0.1:80/TCP" of every frontend, in order.
inline std::vector<std::string> frontends(const state::PortSpec& port) {
  std::vector<std::string> texts;
  for (const state::FrontendSpec& frontend : port.frontends)
    texts.push_back(state::describe(frontend.key));
  return texts;
}

}  // namespace fairlead::compile
