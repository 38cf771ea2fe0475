// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/random.h"

// The table: what a Service and its endpoints look like. Everything else follows from a row: its objects (objects.h)
// and the cells in which it is looked at (cell.h).
namespace fairlead::test::differential {

// Who asks: a machine beyond the router, a pod on node1, node1 itself, a pod on node2, or the first backend's own pod.
enum class Client { kOutside, kPod, kNode, kOtherPod, kBackend };

// What is asked: node ports at node1's primary address, at another of its addresses, or at its loopback (by node1
// alone).
enum class Frontend { kClusterIp, kNodePort, kNodePortSecond, kLocalhost, kLoadBalancer, kExternalIp };

// What of the backends that were reached must be equal: which they are; or, where that is chance, how many, by the cell
// or by all frontends of a node together.
enum class Compare { kBackends, kNumberOfBackends, kNumberOfBackendsOfNode };

struct EndpointSpec {
  std::string host;          // of the lab: "node1-pod1", or "node1" for a pod in the host's network
  std::string patch = "{}";  // over the endpoint that is ready there
  int slice = 1;             // the number of the EndpointSlice it is in
};

// A patch is a JSON merge patch (RFC 7396), in which NUMBER stands for the row's number and NODEPORT for its node port.
struct Behaviour {
  std::string name;
  std::string service = "{}";  // over a LoadBalancer Service of both families and protocols; "null": there is none
  std::vector<EndpointSpec> endpoints = {};
  std::string slice = "{}";  // over each of its EndpointSlices
  std::vector<Frontend> frontends = {Frontend::kClusterIp, Frontend::kNodePort, Frontend::kLoadBalancer};
  std::vector<Client> clients = {Client::kOutside, Client::kPod, Client::kNode, Client::kOtherPod};
  std::uint16_t port_offset = 0;  // from the service's ports to those that are asked
  Compare compare = Compare::kBackends;
};

const std::vector<Behaviour>& behaviours();

// So many rows that chance has made. Their names say what is in them, so that patterns of names find them too.
std::vector<Behaviour> random_behaviours(Random& random, int count);

// What an endpoint says of its pod.
inline constexpr const char* kReady = "{}";
inline constexpr const char* kNotReady = R"({"conditions": {"ready": false, "serving": false}})";
inline constexpr const char* kDraining = R"({"conditions": {"ready": false, "serving": true, "terminating": true}})";
inline constexpr const char* kEnding = R"({"conditions": {"ready": false, "serving": false, "terminating": true}})";

}  // namespace fairlead::test::differential
