// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <iostream>

#include "userspace/util/duration.h"
#include "userspace/util/version.h"

namespace fairlead::daemon {
namespace {

constexpr int kUsage = 2;  // exit status

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof(name) - 1);
  return name;
}

// Parsers return an error text, which CLI11 prints with the flag's name; empty means that the value was taken.

std::string parse_range(const std::string& text, datapath::PortRange& range) {
  const auto dash = text.find('-');
  const auto number = [](std::string_view digits, std::uint16_t& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc{} && end == digits.data() + digits.size() && value != 0;
  };
  datapath::PortRange parsed;
  if (dash == std::string::npos || !number(std::string_view(text).substr(0, dash), parsed.first) ||
      !number(std::string_view(text).substr(dash + 1), parsed.last) || parsed.first > parsed.last)
    return text + ": must be of the form FIRST-LAST, with ports between 1 and 65535";
  range = parsed;
  return {};
}

std::string parse_prefixes(const std::vector<std::string>& texts, std::vector<Prefix>& prefixes) {
  prefixes.clear();
  for (const std::string& text : texts) {
    const auto prefix = Prefix::parse(text);
    if (!prefix) return text + ": not a CIDR";
    prefixes.push_back(*prefix);
  }
  return {};
}

std::string parse_nodeport_addresses(const std::vector<std::string>& texts, NodePortAddresses& addresses) {
  addresses.primary = texts == std::vector<std::string>{"primary"};
  return addresses.primary ? std::string() : parse_prefixes(texts, addresses.prefixes);
}

std::string parse_seconds(const std::string& text, std::uint32_t& seconds) {
  const auto duration = parse_duration(text);
  if (!duration || *duration < std::chrono::seconds(1) || *duration > std::chrono::hours(24 * 365))
    return text + ": must be a duration between 1s and 8760h, such as 1h30m";
  seconds = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(*duration).count());
  return {};
}

class Parser {
 public:
  explicit Parser(Options& options) : options_(options) {
    app_.set_version_flag("--version", "lbd " + std::string(version()));
    app_.get_formatter()->column_width(44);
    app_.option_defaults()->always_capture_default(false);
    add_source();
    add_network();
    add_limits();
    add_timeouts();
    add_process();
  }

  CLI::App& app() { return app_; }

 private:
  // A flag whose text goes through a parser of ours.
  template <class Text, class Parse>
  void add(const std::string& group, const std::string& flag, const std::string& help, const std::string& type,
           Parse parse) {
    CLI::Option* option = app_.add_option_function<Text>(
        flag,
        [flag, parse](const Text& text) {
          if (const std::string wrong = parse(text); !wrong.empty()) throw CLI::ValidationError(flag, wrong);
        },
        help);
    option->group(group)->type_name(type);
    if constexpr (std::is_same_v<Text, std::vector<std::string>>) option->delimiter(',');
  }

  template <class T>
  CLI::Option* plain(const std::string& group, const std::string& flag, T& value, const std::string& help) {
    return app_.add_option(flag, value, help)->group(group)->capture_default_str();
  }

  void add_source() {
    const std::string group = "What to serve";
    plain(group, "--source", options_.source, "Where Services come from")->check(CLI::IsMember({"file", "kubernetes"}));
    plain(group, "--manifests", options_.manifests,
          "Directory of Kubernetes YAML or JSON: Services, EndpointSlices, the Node; watched")
        ->type_name("DIR");
    plain(group, "--kubeconfig", options_.kubeconfig, "kubeconfig")->type_name("FILE");
    plain(group, "--master", options_.master, "URL")->type_name("URL");
    plain(group, "--hostname-override", options_.node_name, "This node's name, as endpoints' nodeName has it")
        ->type_name("NAME");
  }

  void add_network() {
    const std::string group = "Network";
    app_.add_option("--devices", options_.devices, "Uplinks to attach to (default: those with a default route)")
        ->group(group)
        ->delimiter(',')
        ->type_name("DEV,...");
    add<std::string>(group, "--xdp-mode",
                     "auto, native, generic or off; without XDP tc ingress does the work (default auto)", "MODE",
                     [this](const std::string& text) -> std::string {
                       const auto mode = datapath::parse_xdp_mode(text);
                       if (!mode) return text + ": must be auto, native, generic or off";
                       options_.xdp_mode = *mode;
                       return {};
                     });
    add<std::vector<std::string>>(group, "--nodeport-addresses",
                                  "Node addresses that serve NodePorts: CIDRs, or primary (default primary)",
                                  "CIDR,...", [this](const std::vector<std::string>& texts) {
                                    return parse_nodeport_addresses(texts, options_.nodeport_addresses);
                                  });
    add<std::string>(group, "--service-node-port-range", "Ports that NodePorts are taken from (default 30000-32767)",
                     "FIRST-LAST",
                     [this](const std::string& text) { return parse_range(text, options_.datapath.nodeports); });
    add<std::string>(group, "--snat-port-range",
                     "Source ports for connections to other nodes' backends (default 10400-29599)", "FIRST-LAST",
                     [this](const std::string& text) { return parse_range(text, options_.datapath.snat_ports); });
    add<std::vector<std::string>>(
        group, "--cluster-cidr", "Pod addresses of the cluster; taken for compatibility, not needed yet", "CIDR,...",
        [this](const std::vector<std::string>& texts) { return parse_prefixes(texts, options_.cluster_cidr); });
    plain(group, "--maglev-seed", options_.datapath.select_seed, "Equal on all nodes that should choose alike")
        ->type_name("N");
  }

  void add_limits() {
    const std::string group = "Sizes of the maps, when they are made";
    datapath::Sizes& sizes = options_.datapath.sizes;
    plain(group, "--max-frontends", sizes.frontends, "Address and port pairs of services")
        ->check(CLI::Range(1u, 1u << 24));
    plain(group, "--max-services", sizes.service_ports, "Service ports")->check(CLI::Range(1u, 1u << 24));
    plain(group, "--max-addresses", sizes.addresses, "Addresses of services and of this node")
        ->check(CLI::Range(1u, 1u << 24));
    plain(group, "--max-backends", sizes.backends, "Endpoints")->check(CLI::Range(1u, 1u << 24));
    plain(group, "--max-ring-slots", sizes.ring_slots, "Slots of all Maglev rings together")
        ->check(CLI::Range(4096u, 1u << 28));
    plain(group, "--max-flows-ipv4", sizes.flows4, "Flows that fit without loss; 512 bytes each")
        ->check(CLI::Range(64u, 1u << 24));
    plain(group, "--max-flows-ipv6", sizes.flows6, "The same for IPv6; 1024 bytes each")
        ->check(CLI::Range(64u, 1u << 24));
  }

  void add_timeouts() {
    const std::string group = "How long flows live without packets";
    const auto timeout = [&](const std::string& flag, lb_timeout which, const std::string& help) {
      add<std::string>(group, flag, help, "DURATION", [this, which](const std::string& text) {
        return parse_seconds(text, options_.datapath.timeouts[which]);
      });
    };
    timeout("--conntrack-tcp-timeout-established", LB_TIMEOUT_TCP_ESTABLISHED, "Established TCP (default 24h)");
    timeout("--conntrack-tcp-timeout-close-wait", LB_TIMEOUT_TCP_HALF_CLOSED, "TCP closed by one side (default 1h)");
    timeout("--conntrack-udp-timeout", LB_TIMEOUT_UDP_NEW, "UDP that was not answered (default 30s)");
    timeout("--conntrack-udp-timeout-stream", LB_TIMEOUT_UDP_ANSWERED, "UDP that was answered (default 2m)");
  }

  void add_process() {
    const std::string group = "Process";
    plain(group, "--bpffs-path", options_.datapath.pin_directory,
          "Directory on a bpf file system for this node's maps and links")
        ->type_name("DIR");
    plain(group, "--cgroup-path", options_.cgroup_path,
          "cgroup2 root for balancing at connect(); taken, not needed yet")
        ->type_name("DIR");
    plain(group, "--control-socket", options_.control_socket, "Unix socket for lbctl")->type_name("PATH");
    plain(group, "--healthz-bind-address", options_.healthz_address, "ADDRESS:PORT of /healthz and /livez; empty: none")
        ->type_name("ADDRESS:PORT");
    plain(group, "--metrics-bind-address", options_.metrics_address, "ADDRESS:PORT of /metrics; empty: none")
        ->type_name("ADDRESS:PORT");
    plain(group, "--log-level", options_.log_level, "What is logged")
        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error"}));
    app_.add_flag("--log-json", options_.log_json, "One JSON object a line")->group(group);
    app_.add_flag("--cleanup", options_.cleanup, "Take everything off this node and exit")->group(group);
  }

  Options& options_;
  CLI::App app_{
      "lbd balances Kubernetes Services in the kernel, with XDP and tc programs at this node's uplinks.\n"
      "Stopping it leaves forwarding as it is; the next lbd takes over. --cleanup ends it.",
      "lbd"};
};

std::string check(const Options& options) {
  if (options.cleanup) return {};
  if (options.source == "file" && options.manifests.empty()) return "--manifests is needed with --source file";
  const datapath::PortRange &nodeports = options.datapath.nodeports, &snat = options.datapath.snat_ports;
  if (snat.last >= nodeports.first && snat.first <= nodeports.last)
    return "--snat-port-range and --service-node-port-range overlap: a reply could not be told from a new connection";
  if (snat.last - snat.first + 1 < 64) return "--snat-port-range must have at least 64 ports";
  return {};
}

}  // namespace

Parsed parse_options(int argc, const char* const* argv) {
  Options options;
  options.node_name = host_name();
  options.datapath.pin_directory = "/sys/fs/bpf/fairlead";
  Parser parser(options);
  try {
    parser.app().parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, parser.app().exit(error) == 0 ? 0 : kUsage};
  }
  if (const std::string wrong = check(options); !wrong.empty()) {
    std::cerr << wrong << "\nRun with --help for more information.\n";
    return {std::nullopt, kUsage};
  }
  return {options, 0};
}

}  // namespace fairlead::daemon
