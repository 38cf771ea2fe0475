// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "userspace/model/service.h"

namespace fairlead::model {

struct EndpointPort {
  std::optional<std::string> name;  // absent is not the same as empty: such a port matches no service port
  Protocol protocol = Protocol::kTcp;
  std::uint16_t port = 0;  // 0: absent

  bool operator==(const EndpointPort&) const = default;
};

// One endpoint; its first address, which is the only one that Kubernetes defines a meaning for.
struct Endpoint {
  Address address;
  // Conditions with the API's meaning of absence already applied: ready and serving default to true, terminating to
  // false.
  bool ready = true;
  bool serving = true;
  bool terminating = false;
  std::string node_name;
  std::string zone;
  std::vector<std::string> hint_zones;
  std::vector<std::string> hint_nodes;

  bool operator==(const Endpoint&) const = default;
};

// What an EndpointSlice (discovery.k8s.io/v1) says that the proxy needs. Slices of address type FQDN never get here.
struct EndpointSlice {
  Name name;
  Name service;           // namespace of the slice, label kubernetes.io/service-name
  bool headless = false;  // label service.kubernetes.io/headless: its endpoints are not proxied
  Family family = Family::IPv4;
  std::vector<EndpointPort> ports;
  std::vector<Endpoint> endpoints;
  // Annotation endpoints.kubernetes.io/last-change-trigger-time: when what the last change of the slice came from
  // happened.
  std::optional<std::chrono::system_clock::time_point> last_change_trigger_time;

  bool operator==(const EndpointSlice&) const = default;
};

}  // namespace fairlead::model
