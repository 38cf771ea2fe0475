// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/datapath/config.h"
#include "userspace/datapath/xdp_mode.h"
#include "userspace/util/address.h"

namespace fairlead::daemon {

// NodePorts are served on the node's primary addresses, or on those of its addresses that are in these prefixes.
struct NodePortAddresses {
  bool primary = true;
  std::vector<Prefix> prefixes;
};

struct Options {
  std::string source;  // "file" or "kubernetes"; empty only where nothing will be served
  std::string manifests;
  std::string kubeconfig;
  std::string master;        // goes before the server that kubeconfig names
  double kube_api_qps = 50;  // requests besides watches; negative: no limit
  int kube_api_burst = 100;
  std::string node_name;
  std::vector<std::string> devices;  // empty: those that routes and the InternalIP choose
  datapath::XdpMode xdp_mode = datapath::XdpMode::kAuto;
  NodePortAddresses nodeport_addresses;
  std::vector<Address> snat_addresses;  // one of a family at most; of one that has none, what routes say
  std::vector<Prefix> cluster_cidr;
  std::string detect_local_mode = "ClusterCIDR";
  std::string bind_address = "0.0.0.0";
  std::string cgroup_path = "/sys/fs/cgroup";
  std::string control_socket = "/run/fairlead/lbd.sock";
  std::string healthz_address = "0.0.0.0:10256";    // empty: none
  std::string metrics_address = "127.0.0.1:10249";  // empty: none
  bool bind_address_hard_fail = false;              // for these two
  std::optional<int> oom_score_adj;                 // nothing: left as it is
  std::string log_level = "info";
  bool log_json = false;
  bool cleanup = false;
  datapath::Config datapath;  // pin_directory is --bpffs-path

  // For the log at start: what was asked for and is not done, by flag or field. Notes are of what means nothing to lbd.
  std::vector<std::string> warnings;
  std::vector<std::string> notes;
};

// What the command line and the configuration file ask for, or the status to exit with after --help, --version,
// --write-config-to or an error, which has been printed.
struct Parsed {
  std::optional<Options> options;
  int exit_status = 0;
};
Parsed parse_options(int argc, const char* const* argv);

}  // namespace fairlead::daemon
