// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/options/settings.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace fairlead::daemon {
namespace {

constexpr std::uint32_t kMostEntries = 1u << 24;

Field kube(const std::string& path) {
  return {Home::kKubeProxy, path};
}

Field ours(const std::string& path) {
  return {Home::kFairlead, path};
}

// Later settings win over earlier ones that have the same value.
class Table {
 public:
  explicit Table(Options& options) : options_(options) {
    add_source();
    add_network();
    add_limits();
    add_timeouts();
    add_process();
  }

  std::vector<Setting> take() { return std::move(settings_); }

 private:
  Setting& add(const std::string& flag, Field field, Value value, const std::string& help) {
    Setting setting{flag, std::move(field), group_, help, std::move(value)};
    setting.fallback = setting.value.show();
    return settings_.emplace_back(std::move(setting));
  }

  void add_source() {
    group_ = "What to serve";
    add("source", ours("source"), word(options_.source, "WHERE", {"file", "kubernetes"}),
        "Where Services come from: file or kubernetes (default: file with --manifests, else kubernetes)");
    add("manifests", ours("manifests"), text(options_.manifests, "DIR"),
        "Directory of Kubernetes YAML or JSON: Services, EndpointSlices, the Node; watched");
    add("kubeconfig", kube("clientConnection.kubeconfig"), text(options_.kubeconfig, "FILE"),
        "How to reach the Kubernetes API and who to be there (default: what a pod of the cluster is given)");
    add("master", ours("master"), text(options_.master, "URL"),
        "The Kubernetes API server, rather than the one in --kubeconfig");
    add("kube-api-qps", kube("clientConnection.qps"), rate(options_.kube_api_qps),
        "Requests a second to the API server, besides watches; negative: no limit")
        .zero_is_default = true;
    add("kube-api-burst", kube("clientConnection.burst"), whole(options_.kube_api_burst, 1, 1 << 20),
        "Requests that may go beyond that at once")
        .zero_is_default = true;
    add("hostname-override", kube("hostnameOverride"), node_name(options_.node_name),
        "This node's name, as endpoints' nodeName has it (default: the host's name)");
  }

  void add_network() {
    group_ = "Network";
    add("devices", ours("devices"), devices(options_.devices),
        "Uplinks to attach to (default: those with a default route, the InternalIP, or the way to a backend "
        "elsewhere)");
    add("xdp-mode", ours("xdpMode"), xdp_mode(options_.xdp_mode),
        "auto, native, generic or off; without XDP tc ingress does the work");
    add("nodeport-addresses", kube("nodePortAddresses"), nodeport_addresses(options_.nodeport_addresses),
        "Node addresses that serve NodePorts: CIDRs, all, or primary");
    add("service-node-port-range", ours("serviceNodePortRange"), port_range(options_.datapath.nodeports),
        "Ports that NodePorts are taken from");
    add("snat-port-range", ours("snatPortRange"), port_range(options_.datapath.snat_ports),
        "Source ports for connections to other nodes' backends");
    add("snat-addresses", ours("snatAddresses"), snat_addresses(options_.snat_addresses),
        "What those connections come from, one address of each family (default: what the route to the backend says)");
    add("cluster-cidr", kube("clusterCIDR"), prefixes(options_.cluster_cidr, Shape::kCommaList),
        "Pod addresses of the cluster");
    add("", kube("detectLocal.clusterCIDRs"), prefixes(options_.cluster_cidr, Shape::kList), "").is_alias = true;
    add("detect-local-mode", kube("detectLocalMode"),
        word(options_.detect_local_mode, "MODE", {"ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"}),
        "How to tell what pods of this node send: ClusterCIDR; kube-proxy's others are not honoured yet");
    add("bind-address", kube("bindAddress"), address(options_.bind_address),
        "An IPv6 address makes IPv6 addresses the defaults of the two below; nothing else yet");
    add("maglev-seed", ours("maglevSeed"),
        whole(options_.datapath.select_seed, 0, std::numeric_limits<std::uint32_t>::max()),
        "Equal on all nodes that should choose alike");
  }

  void add_limits() {
    group_ = "Sizes of the maps, when they are made";
    datapath::Sizes& sizes = options_.datapath.sizes;
    add("max-frontends", ours("maxFrontends"), whole(sizes.frontends, 1, kMostEntries),
        "Address and port pairs of services");
    add("max-services", ours("maxServices"), whole(sizes.service_ports, 1, kMostEntries), "Service ports");
    add("max-addresses", ours("maxAddresses"), whole(sizes.addresses, 1, kMostEntries),
        "Addresses of services and of this node");
    add("max-backends", ours("maxBackends"), whole(sizes.backends, 1, kMostEntries),
        "Endpoints; 64 bytes each, and 40 for each CPU");
    add("max-ring-slots", ours("maxRingSlots"), whole(sizes.ring_slots, 4096, 1u << 28),
        "Slots of all Maglev rings together");
    add("max-flows-ipv4", ours("maxFlowsIPv4"), whole(sizes.flows4, 64, kMostEntries),
        "Flows that fit without loss; 512 bytes each");
    add("max-flows-ipv6", ours("maxFlowsIPv6"), whole(sizes.flows6, 64, kMostEntries),
        "The same for IPv6; 1024 bytes each");
  }

  // kube-proxy's zero leaves the kernel's timeout as it is; here that is the default.
  void add_timeouts() {
    group_ = "How long flows live without packets";
    const auto timeout = [&](const std::string& flag, const std::string& field, lb_timeout which,
                             const std::string& help) {
      add(flag, kube("conntrack." + field), seconds(options_.datapath.timeouts[which]), help).zero_is_default = true;
    };
    timeout("conntrack-tcp-timeout-established", "tcpEstablishedTimeout", LB_TIMEOUT_TCP_ESTABLISHED,
            "Established TCP");
    timeout("conntrack-tcp-timeout-close-wait", "tcpCloseWaitTimeout", LB_TIMEOUT_TCP_HALF_CLOSED,
            "TCP closed by one side");
    timeout("conntrack-udp-timeout", "udpTimeout", LB_TIMEOUT_UDP_NEW, "UDP: a question, and its answer");
    timeout("conntrack-udp-timeout-stream", "udpStreamTimeout", LB_TIMEOUT_UDP_STREAM,
            "UDP whose client has spoken again after an answer");
  }

  void add_process() {
    group_ = "Process";
    Setting& pins = add("bpffs-path", ours("bpffsPath"), path(options_.datapath.pin_directory),
                        "Directory on a bpf file system for this node's maps and links");
    pins.empty_counts = true;
    pins.for_cleanup = true;
    add("cgroup-path", ours("cgroupPath"), text(options_.cgroup_path, "DIR"),
        "cgroup2 root for balancing at connect(); taken, not needed yet");
    add("control-socket", ours("controlSocket"), path(options_.control_socket), "Unix socket for lbctl").empty_counts =
        true;
    add_listening();
    add("oom-score-adj", kube("oomScoreAdj"), whole(options_.oom_score_adj, -1000, 1000),
        "The process's oom_score_adj, -1000 to 1000 (default: as it is)");
    add_logging();
    add("cleanup", {}, boolean(options_.cleanup), "Take everything off this node and exit");
  }

  void add_listening() {
    add("healthz-bind-address", kube("healthzBindAddress"), listen_address(options_.healthz_address, 10256),
        "Where /healthz and /livez are; empty: nowhere")
        .empty_counts = true;
    add("", ours("serveHealthz"), listens(options_.healthz_address), "");
    add("metrics-bind-address", kube("metricsBindAddress"), listen_address(options_.metrics_address, 10249),
        "Where /metrics is; empty: nowhere")
        .empty_counts = true;
    add("", ours("serveMetrics"), listens(options_.metrics_address), "");
    add("bind-address-hard-fail", kube("bindAddressHardFail"), boolean(options_.bind_address_hard_fail),
        "Whether lbd ends when it can't listen at these two");
  }

  void add_logging() {
    add("v", kube("logging.verbosity"), verbosity(options_.log_level), "klog's verbosity: 4 is debug, 5 is trace")
        .is_alias = true;
    add("log-level", ours("logLevel"),
        word(options_.log_level, "LEVEL", {"trace", "debug", "info", "warning", "error"}),
        "trace, debug, info, warning or error");
    add("logging-format", kube("logging.format"), log_format(options_.log_json), "text or json").is_alias = true;
    add("", ours("logFormat"), log_format(options_.log_json), "");
    add("log-json", {}, boolean(options_.log_json), "The same as --logging-format json");
  }

  Options& options_;
  std::string group_;
  std::vector<Setting> settings_;
};

}  // namespace

bool Setting::is_default(const Texts& texts) const {
  return (is_empty(texts) && !empty_counts) || (zero_is_default && is_zero(texts));
}

std::string Setting::set_from_flag(const Texts& texts) {
  return is_default(texts) ? set(fallback) : set(texts);
}

std::string Setting::set_from_document(const Texts& texts) {
  const bool says_nothing = is_default(texts) || (is_empty(texts) && field.home == Home::kKubeProxy);
  return says_nothing ? std::string() : set(texts);
}

std::string Setting::set(const Texts& texts) {
  given = true;
  return value.read(texts);
}

std::vector<Setting> make_settings(Options& options) {
  return Table(options).take();
}

Setting* find_flag(std::vector<Setting>& settings, std::string_view flag) {
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [&](const Setting& setting) { return setting.flag == flag && !flag.empty(); });
  return found == settings.end() ? nullptr : &*found;
}

Setting* find_field(std::vector<Setting>& settings, Home home, std::string_view path) {
  const auto found = std::find_if(settings.begin(), settings.end(), [&](const Setting& setting) {
    return setting.field.home == home && setting.field.path == path;
  });
  return found == settings.end() ? nullptr : &*found;
}

}  // namespace fairlead::daemon
