// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/options/options.h"

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <system_error>

#include "userspace/daemon/options/command_line.h"
#include "userspace/daemon/options/config_file.h"
#include "userspace/daemon/options/kube_proxy_only.h"
#include "userspace/daemon/options/settings.h"

namespace fairlead::daemon {
namespace {

constexpr int kFailureStatus = 1;

Options defaults() {
  Options options;
  options.datapath.pin_directory = "/sys/fs/bpf/fairlead";
  node_name(options.node_name).read({});
  return options;
}

// A message about what was given: "--devices: eth0,eth0: eth0: stands twice". One that begins with all of it has it
// once.
std::string about(std::string_view flag, const Texts& texts, const std::string& message) {
  std::string all;
  for (const std::string& text : texts)
    all += (all.empty() ? "" : ",") + text;
  const bool is_told = all.empty() || message.starts_with(all + ": ");
  return "--" + std::string(flag) + ": " + (is_told ? "" : all + ": ") + message;
}

// In the order of the settings, whatever that of the command line.
void apply_flags(const CommandLine& line, std::vector<Setting>& settings, Remarks& remarks) {
  for (Setting& setting : settings) {
    const auto given = line.flags.find(setting.flag);
    if (given == line.flags.end()) continue;
    const std::string wrong = setting.set_from_flag(given->second);
    if (!wrong.empty()) remarks.errors.push_back(about(setting.flag, given->second, wrong));
  }
}

void remark_on_flags(const CommandLine& line, Remarks& remarks) {
  using Use = KubeProxyOnly::Use;
  for (const KubeProxyOnly& only : kube_proxy_only()) {
    const auto given = line.flags.find(only.flag);
    if (only.flag.empty() || given == line.flags.end() || !only.is_unusual(given->second)) continue;
    auto& into = only.use == Use::kRefused  ? remarks.errors
                 : only.use == Use::kNotYet ? remarks.warnings
                                            : remarks.notes;
    into.push_back(about(only.flag, given->second, only.remark()));
  }
}

bool in_cluster() {
  const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
  return host && *host;
}

// One that is not there yet may come.
bool is_no_directory(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  return std::filesystem::exists(status) && !std::filesystem::is_directory(status);
}

void choose_source(Options& options) {
  if (!options.source.empty()) return;
  if (!options.manifests.empty())
    options.source = "file";
  else if (!options.kubeconfig.empty() || !options.master.empty() || in_cluster())
    options.source = "kubernetes";
}

void check_source(const Options& options, Remarks& remarks) {
  const bool has_server = !options.kubeconfig.empty() || !options.master.empty();
  if (options.source.empty())
    remarks.errors.push_back(
        "Where do Services come from? --manifests names a directory of manifests; --kubeconfig or --master the "
        "Kubernetes API, which a pod finds by KUBERNETES_SERVICE_HOST");
  if (options.source == "file" && options.manifests.empty())
    remarks.errors.push_back("--manifests is needed with --source file");
  if (options.source == "file" && is_no_directory(options.manifests))
    remarks.errors.push_back("--manifests: " + options.manifests + ": must be a directory, with manifests in it");
  if (options.source == "kubernetes" && !has_server && !in_cluster())
    remarks.errors.push_back(
        "--kubeconfig or --master is needed with --source kubernetes: KUBERNETES_SERVICE_HOST is not set");
  if (options.source == "file" && has_server)
    remarks.warnings.push_back("--kubeconfig and --master: are not used: Services come from " + options.manifests);
  if (options.source == "kubernetes" && !options.manifests.empty())
    remarks.warnings.push_back("--manifests: " + options.manifests + ": is not used: Services come from Kubernetes");
}

// Other clients of an API server go by it.
void check_proxy(const Options& options, Remarks& remarks) {
  if (options.source != "kubernetes") return;
  for (const char* name : {"HTTPS_PROXY", "https_proxy"})
    if (const char* proxy = std::getenv(name); proxy && *proxy)
      remarks.warnings.push_back(std::string(name) + ": is not used: lbd asks the API server without a proxy");
}

std::string range_text(const datapath::PortRange& range) {
  return std::to_string(range.first) + "-" + std::to_string(range.last);
}

void check_ports(const Options& options, Remarks& remarks) {
  const datapath::PortRange &nodeports = options.datapath.nodeports, &snat = options.datapath.snat_ports;
  if (snat.last >= nodeports.first && snat.first <= nodeports.last)
    remarks.errors.push_back("--snat-port-range and --service-node-port-range: " + range_text(snat) + " and " +
                             range_text(nodeports) + ": overlap: a reply could not be told from a new connection");
  if (snat.last - snat.first + 1 < 64)
    remarks.errors.push_back("--snat-port-range: " + range_text(snat) + ": must have at least 64 ports");
}

// What concerns several settings, whoever gave them.
void complete(Options& options, std::vector<Setting>& settings, Remarks& remarks) {
  const Address bind = Address::literal(options.bind_address);
  const auto listen = [&](std::string& address, std::string_view flag, const char* usual) {
    if (!address.empty() && !find_flag(settings, flag)->given) address = usual;
  };
  if (bind.family == Family::IPv6) {
    listen(options.healthz_address, "healthz-bind-address", "[::]:10256");
    listen(options.metrics_address, "metrics-bind-address", "[::1]:10249");
  }
  if (!bind.is_unspecified())
    remarks.warnings.push_back("--bind-address (bindAddress): " + options.bind_address + ": is not honoured yet");
  if (options.detect_local_mode != "ClusterCIDR")
    remarks.warnings.push_back("--detect-local-mode (detectLocalMode): " + options.detect_local_mode +
                               ": is not honoured yet");
  choose_source(options);
}

void print(const std::vector<std::string>& lines) {
  for (const std::string& line : lines)
    std::cerr << line << "\n";
}

int write_to(const std::string& path, const std::vector<Setting>& settings, const Remarks& remarks) {
  print(remarks.notes);
  print(remarks.warnings);
  if (const auto written = write_config(path, settings); !written) {
    print({written.error().message});
    return kFailureStatus;
  }
  std::cout << "lbd: wrote the configuration in force to " << path << "\n";
  return 0;
}

Result<> read_file(const CommandLine& line, std::vector<Setting>& settings, Remarks& remarks) {
  if (line.config.empty()) return {};
  const auto cleanup = line.flags.find("cleanup");
  const bool all = cleanup == line.flags.end() || cleanup->second != Texts{"true"};
  return read_config(line.config, all ? Fields::kAll : Fields::kForCleanup, settings, remarks);
}

Parsed settle(const CommandLine& line, Options& options, std::vector<Setting>& settings) {
  Remarks remarks;
  if (const auto read = read_file(line, settings, remarks); !read) {
    print({read.error().message});
    return {std::nullopt, kFailureStatus};
  }
  apply_flags(line, settings, remarks);
  remark_on_flags(line, remarks);
  complete(options, settings, remarks);
  if (options.cleanup && !line.write_config_to.empty())
    remarks.errors.push_back("--cleanup and --write-config-to: cannot both be done");
  if (remarks.errors.empty() && !options.cleanup) {
    check_ports(options, remarks);
    if (line.write_config_to.empty()) {
      check_source(options, remarks);
      check_proxy(options, remarks);
    }
  }
  if (!remarks.errors.empty()) {
    print(remarks.errors);
    print({"Run with --help for more information."});
    return {std::nullopt, kUsageStatus};
  }
  if (!line.write_config_to.empty()) return {std::nullopt, write_to(line.write_config_to, settings, remarks)};
  options.notes = remarks.notes;
  options.warnings = remarks.warnings;
  return {options, 0};
}

}  // namespace

Parsed parse_options(int argc, const char* const* argv) {
  Options options = defaults();
  std::vector<Setting> settings = make_settings(options);
  const auto line = read_command_line(argc, argv, settings);
  if (const int* status = std::get_if<int>(&line)) return {std::nullopt, *status};
  return settle(std::get<CommandLine>(line), options, settings);
}

}  // namespace fairlead::daemon
