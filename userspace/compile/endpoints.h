// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "userspace/model/store.h"

namespace fairlead::compile {

// Of node ports; those outside of it are not ours.
struct NodePortRange {
  std::uint16_t first = 1;
  std::uint16_t last = 65535;

  bool contains(std::uint16_t port) const { return first <= port && port <= last; }
  std::string to_string() const { return std::to_string(first) + "-" + std::to_string(last); }
  bool operator==(const NodePortRange&) const = default;
};

// The node that decisions are made for.
struct NodeView {
  std::string name;             // empty: nothing is local by name
  std::string zone;             // label topology.kubernetes.io/zone
  std::set<Address> addresses;  // of this host: an endpoint that has one of them is local whatever its nodeName
  NodePortRange node_ports = {};

  bool operator==(const NodeView&) const = default;
};

// One endpoint of a service port.
struct Candidate {
  const model::Endpoint* endpoint = nullptr;
  std::uint16_t port = 0;
  bool local = false;
};

// The endpoints of one service port and family, out of all its slices: ports are matched by name and protocol, an
// address and port that stands several times counts once, as the readiest of them: what is left of an endpoint in one
// slice says nothing against it in another. Of equally ready ones a local one wins.
std::vector<Candidate> gather(const model::ServicePort& port, Family family, const model::Store::Slices& slices,
                              const NodeView& node);

// Which endpoints new flows may go to, by traffic policy. Indices into the candidates.
//
// cluster: the ready endpoints that topology hints leave; when no endpoint is ready, those that are terminating but
// still serve, and then hints do not count. local: the ready endpoints on this node; when there is none, those on this
// node that are terminating but still serve. Hints never count here. The two fall back independently. any says that
// some endpoint, wherever it is, could serve.
//
// Hints: when every ready endpoint names nodes and one of them names this node, only those; else the same with zones;
// else all. A node without a zone, or one ready endpoint without hints, switches hints off.
struct Categories {
  std::vector<std::size_t> cluster;
  std::vector<std::size_t> local;
  bool any = false;
};
Categories categorize(const std::vector<Candidate>& candidates, const NodeView& node);

}  // namespace fairlead::compile
