// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/support/guardian.h"
#include "tests/support/process.h"
#include "userspace/util/address.h"
#include "userspace/util/result.h"

namespace fairlead::test {

enum class Cni { Routed, Bridge };

struct LabOptions {
  int nodes = 3;
  int pods = 2;  // on each node
  Cni cni = Cni::Routed;
  int mtu = 1500;
  std::string vip_via = "node1";  // where the router sends the VIP networks; "node1,node2" or "all" for ECMP
  bool pod_offload = false;       // pods leave checksums and segmentation to their device, as real ones do
  std::string prefix = {};        // empty: one of this process alone
};

struct Host {
  std::string name;   // "client", "router", "node1", "node1-pod2"
  std::string netns;  // /run/netns/<netns>
  Address ipv4;
  Address ipv6;
  std::string mac;
  std::string device;  // the interface with these addresses, seen from inside
  std::string cgroup;  // for the processes of that host; empty for client and router, and without cgroup2

  const Address& address(Family family) const { return family == Family::IPv4 ? ipv4 : ipv6; }
};

struct Pod : Host {
  std::string node_device;  // the node's end of its link
};

struct Node : Host {
  Prefix pod_net4;
  Prefix pod_net6;
  std::string pins;  // for lbd's maps and links, below /sys/fs/bpf; made by lbd, removed with the lab
  std::string run;   // for its socket and files; exists
  std::vector<Pod> pods;
};

// Why no lab can be built here, for GTEST_SKIP(); nothing if it can.
std::optional<std::string> missing_requirement();

// scripts/lab as a value: the lab is up while this lives, and goes away also when the process is killed. Not for use by
// several threads at once.
class Lab {
 public:
  static Result<Lab> up(const LabOptions& options = {});

  const std::string& prefix() const { return prefix_; }
  const std::string& dir() const { return dir_; }  // for files; goes with the lab
  const Prefix& vip_net(Family family) const { return family == Family::IPv4 ? vip_net4_ : vip_net6_; }
  const Host& client() const { return client_; }
  const Host& router() const { return router_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const Node& node(int number) const { return nodes_.at(static_cast<std::size_t>(number - 1)); }  // from 1, as named
  const Pod& pod(int node_number, int number) const {
    return node(node_number).pods.at(static_cast<std::size_t>(number - 1));
  }
  std::vector<Pod> all_pods() const;

  // Starts a program in the host's namespace and cgroup. /sys/fs/bpf stays visible.
  Result<Process> start(const Host& host, const std::vector<std::string>& argv) const;
  // Runs one to its end; an error unless its status is 0. For `ip`, `ethtool` and their like.
  Result<std::string> run_in(const Host& host, const std::vector<std::string>& argv) const;
  // fairlead-peer with these arguments. serve() returns when it listens to `port` by TCP and UDP, of both families.
  Result<Process> start_peer(const Host& host, std::vector<std::string> arguments) const;
  Result<Process> serve(const Host& host, std::uint16_t port) const;

  Result<> send_vips_via(const std::string& who) const;

  // What the destructor does, for those who want to know how it went.
  Result<> down();

 private:
  Lab() = default;
  Result<> load(const std::string& env);
  std::vector<std::string> command_in(const Host& host, const std::vector<std::string>& argv) const;

  std::string prefix_;
  std::string dir_;
  Guardian guardian_;
  Prefix vip_net4_;
  Prefix vip_net6_;
  Host client_;
  Host router_;
  std::vector<Node> nodes_;
};

// scripts/lab with these arguments.
Result<std::string> lab_script(const std::vector<std::string>& arguments);
std::string lab_script_path();
std::string peer_program();

}  // namespace fairlead::test
