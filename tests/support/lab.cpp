// SPDX-License-Identifier: Apache-2.0
#include "tests/support/lab.h"

#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <utility>

namespace fairlead::test {
namespace {

constexpr std::chrono::seconds kScriptPatience{90};
constexpr long kBpfFsMagic = 0xcafe4a11;

std::string unique_prefix() {
  static std::atomic<int> count = 0;
  return "t" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

// The KEY=VALUE lines of `scripts/lab env`. Throws std::out_of_range for a key that isn't there, which is the script's
// mistake.
class Env {
 public:
  explicit Env(const std::string& text) {
    for (std::size_t start = 0, end = 0; (end = text.find('\n', start)) != text.npos; start = end + 1) {
      const auto equals = text.find('=', start);
      if (equals < end) values_[text.substr(start, equals - start)] = text.substr(equals + 1, end - equals - 1);
    }
  }

  const std::string& at(const std::string& key) const {
    const auto found = values_.find(key);
    if (found == values_.end()) throw std::out_of_range("no " + key + " in scripts/lab env");
    return found->second;
  }

  Prefix prefix(const std::string& key) const {
    const auto parsed = Prefix::parse(at(key));
    if (!parsed) throw std::invalid_argument(key + " is not a network");
    return *parsed;
  }

  void fill(Host& host, const std::string& key) const {
    host.netns = at(key + "_NS");
    host.name = host.netns.substr(at("PREFIX").size() + 1);
    host.ipv4 = Address::literal(at(key + "_IP4"));
    host.ipv6 = Address::literal(at(key + "_IP6"));
    host.mac = at(key + "_MAC");
    host.device = at(key + "_DEV");
  }

  Pod pod(const std::string& key) const {
    Pod pod;
    fill(pod, key);
    pod.node_device = at(key + "_NODE_DEV");
    pod.cgroup = at(key + "_CGROUP");
    return pod;
  }

  Node node(const std::string& key) const {
    Node node;
    fill(node, key);
    node.cgroup = at(key + "_CGROUP");
    node.pod_net4 = prefix(key + "_POD_NET4");
    node.pod_net6 = prefix(key + "_POD_NET6");
    node.pins = at(key + "_PINS");
    node.run = at(key + "_RUN");
    for (int i = 1; i <= std::stoi(at("PODS")); ++i)
      node.pods.push_back(pod(key + "_POD" + std::to_string(i)));
    return node;
  }

 private:
  std::map<std::string, std::string> values_;
};

std::vector<std::string> up_arguments(const std::string& prefix, const LabOptions& options) {
  std::vector<std::string> arguments{"up"};
  const auto add = [&arguments](const char* name, const std::string& value) {
    arguments.insert(arguments.end(), {name, value});
  };
  add("--prefix", prefix);
  add("--nodes", std::to_string(options.nodes));
  add("--pods", std::to_string(options.pods));
  add("--cni", options.cni == Cni::Routed ? "routed" : "bridge");
  add("--mtu", std::to_string(options.mtu));
  add("--vip-via", options.vip_via);
  if (options.pod_offload) arguments.push_back("--pod-offload");
  return arguments;
}

bool in_path(const std::string& program) {
  return run({"sh", "-c", "command -v \"$1\"", "sh", program}, std::chrono::seconds(5)).has_value();
}

bool has_bpffs() {
  struct statfs fs{};
  const auto mounted = [&fs] {
    return statfs("/sys/fs/bpf", &fs) == 0 && static_cast<unsigned>(fs.f_type) == static_cast<unsigned>(kBpfFsMagic);
  };
  return mounted() || (mount("bpf", "/sys/fs/bpf", "bpf", 0, nullptr) == 0 && mounted());
}

}  // namespace

std::string lab_script_path() {
  return FAIRLEAD_LAB_SCRIPT;
}

std::string peer_program() {
  return FAIRLEAD_PEER_PROGRAM;
}

Result<std::string> lab_script(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{lab_script_path()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run(argv, kScriptPatience);
}

std::optional<std::string> missing_requirement() {
  if (geteuid() != 0) return "a lab needs root, to make network namespaces";
  for (const char* program : {"bash", "ip", "nsenter", "ethtool", "flock"})
    if (!in_path(program)) return "a lab needs the program '" + std::string(program) + "'";
  if (!std::filesystem::exists("/proc/net/if_inet6")) return "a lab needs IPv6 in the kernel";
  if (!has_bpffs()) return "a lab needs a BPF file system on /sys/fs/bpf";
  return std::nullopt;
}

Result<Lab> Lab::up(const LabOptions& options) {
  Lab lab;
  lab.prefix_ = options.prefix.empty() ? unique_prefix() : options.prefix;
  auto guardian = Guardian::start({lab_script_path(), "down", "--prefix", lab.prefix_});
  if (!guardian) return guardian.error();
  lab.guardian_ = std::move(*guardian);
  if (auto built = lab_script(up_arguments(lab.prefix_, options)); !built) return built.error();
  const auto env = lab_script({"env", "--prefix", lab.prefix_});
  if (!env) return env.error();
  if (auto loaded = lab.load(*env); !loaded) return loaded.error();
  return lab;
}

Result<> Lab::down() {
  const auto status = guardian_.finish();
  if (!status) return status.error();
  if (*status != 0) return Error{"scripts/lab down --prefix " + prefix_ + " failed", 0};
  return {};
}

Result<> Lab::load(const std::string& text) {
  try {
    const Env env(text);
    dir_ = env.at("RUN");
    vip_net4_ = env.prefix("VIP_NET4");
    vip_net6_ = env.prefix("VIP_NET6");
    env.fill(client_, "CLIENT");
    env.fill(router_, "ROUTER");
    for (int i = 1; i <= std::stoi(env.at("NODES")); ++i)
      nodes_.push_back(env.node("NODE" + std::to_string(i)));
    return {};
  } catch (const std::exception& error) {
    return Error{error.what(), 0};
  }
}

std::vector<Pod> Lab::all_pods() const {
  std::vector<Pod> pods;
  for (const Node& node : nodes_)
    pods.insert(pods.end(), node.pods.begin(), node.pods.end());
  return pods;
}

// Each step execs the next, so that the process which is started is the one that is signalled.
std::vector<std::string> Lab::command_in(const Host& host, const std::vector<std::string>& argv) const {
  std::vector<std::string> command{
      "sh", "-c",        "if [ -n \"$1\" ]; then echo $$ >\"$1/cgroup.procs\"; fi; shift; exec nsenter \"$@\"",
      "sh", host.cgroup, "--net=/run/netns/" + host.netns,
      "--"};
  command.insert(command.end(), argv.begin(), argv.end());
  return command;
}

Result<Process> Lab::start(const Host& host, const std::vector<std::string>& argv) const {
  return Process::start(command_in(host, argv));
}

Result<std::string> Lab::run_in(const Host& host, const std::vector<std::string>& argv) const {
  return run(command_in(host, argv), kScriptPatience);
}

Result<Process> Lab::start_peer(const Host& host, std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), peer_program());
  return start(host, arguments);
}

Result<Process> Lab::serve(const Host& host, std::uint16_t port) const {
  const std::string text = std::to_string(port);
  auto server = start_peer(host, {"serve", "--name", host.name, "--tcp", text, "--udp", text});
  if (!server) return server;
  if (auto ready = server->wait_for_line("ready", std::chrono::seconds(10)); !ready) return ready.error();
  return server;
}

Result<> Lab::send_vips_via(const std::string& who) const {
  const auto changed = lab_script({"vip-route", "--prefix", prefix_, "--to", who});
  if (!changed) return changed.error();
  return {};
}

}  // namespace fairlead::test
