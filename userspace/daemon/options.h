// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/datapath/attach.h"
#include "userspace/datapath/config.h"
#include "userspace/util/address.h"

namespace fairlead::daemon {

// NodePorts are served on the node's primary addresses, or on those of its addresses that are in these prefixes.
struct NodePortAddresses {
  bool primary = true;
  std::vector<Prefix> prefixes;
};

struct Options {
  std::string source = "file";
  std::string manifests;
  std::string kubeconfig;
  std::string master;
  double kube_api_qps = 50;
  int kube_api_burst = 100;
  std::string node_name;
  std::vector<std::string> devices;  // empty: those that have a default route
  datapath::XdpMode xdp_mode = datapath::XdpMode::kAuto;
  NodePortAddresses nodeport_addresses;
  std::vector<Prefix> cluster_cidr;
  std::string cgroup_path = "/sys/fs/cgroup";
  std::string control_socket = "/run/fairlead/lbd.sock";
  std::string healthz_address = "0.0.0.0:10256";
  std::string metrics_address = "127.0.0.1:10249";
  std::string log_level = "info";
  bool log_json = false;
  bool cleanup = false;
  datapath::Config datapath;  // pin_directory is --bpffs-path
};

// What the command line asks for, or the status to exit with after --help, --version or an error, which has been
// printed.
struct Parsed {
  std::optional<Options> options;
  int exit_status = 0;
};
Parsed parse_options(int argc, const char* const* argv);

}  // namespace fairlead::daemon
