// SPDX-License-Identifier: Apache-2.0
#include "tests/support/daemon.h"

#include <fstream>
#include <stdexcept>
#include <utility>

#include "tests/support/eventually.h"
#include "userspace/admin/view.h"

namespace fairlead::test {
namespace {

// The verifier takes its second or two for each daemon, longer where several start on few processors.
constexpr std::chrono::seconds kStartPatience{30};
constexpr std::chrono::seconds kStopPatience{10};
constexpr std::chrono::seconds kLbctlPatience{20};

Result<> write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return make_error("write", path.string(), errno);
  return {};
}

}  // namespace

Daemon::Daemon(const Lab& lab, const Node& node, DaemonOptions options)
    : lab_(&lab),
      node_(&node),
      options_(std::move(options)),
      manifests_(node.run + "/manifests"),
      socket_(node.run + "/lbd.sock") {
  std::filesystem::create_directories(manifests_);
}

Result<> Daemon::start(Ready ready) {
  auto process = start_another();
  if (!process) return process.error();
  process_.emplace(std::move(*process));
  eventually(kStartPatience, [&] { return !is_running() || is_ready(ready); });
  if (!is_running()) return Error{"lbd on " + node_->name + " ended: " + log(), 0};
  if (!is_ready(ready)) return Error{"lbd on " + node_->name + " is not ready: " + log(), ETIMEDOUT};
  return {};
}

int Daemon::stop(int signal) {
  process_->signal(signal);
  const auto status = process_->wait(kStopPatience);
  return status ? *status : process_->terminate();
}

bool Daemon::is_running() {
  return process_ && !process_->status();
}

Result<Process> Daemon::start_another(Flags flags, const std::vector<std::string>& switches) const {
  flags.merge(Flags(options_.more));
  if (options_.kubeconfig.empty()) {
    flags.emplace("--manifests", manifests_);
  } else {
    flags.merge(Flags{{"--source", "kubernetes"}, {"--kubeconfig", options_.kubeconfig}});
  }
  flags.merge(Flags{{"--hostname-override", node_->name},
                    {"--devices", node_->device},
                    {"--xdp-mode", options_.xdp_mode},
                    {"--bpffs-path", node_->pins},
                    {"--control-socket", socket_},
                    {"--max-flows-ipv4", "4096"},
                    {"--max-flows-ipv6", "4096"}});
  std::vector<std::string> argv = options_.launcher;
  argv.push_back(options_.program.empty() ? FAIRLEAD_LBD_PROGRAM : options_.program);
  for (const auto& [flag, value] : flags)
    argv.insert(argv.end(), {flag, value});
  argv.insert(argv.end(), switches.begin(), switches.end());
  return lab_->start(*node_, argv);
}

Result<> Daemon::put(const std::string& file, const std::string& text) const {
  const auto temporary = manifests_ / ("." + file);
  if (auto written = write_file(temporary, text); !written) return written;
  std::error_code error;
  std::filesystem::rename(temporary, manifests_ / file, error);
  if (error) return make_error("rename", temporary.string(), error.value());
  return {};
}

Result<> Daemon::remove(const std::string& file) const {
  std::error_code error;
  if (!std::filesystem::remove(manifests_ / file, error)) return make_error("remove", file, ENOENT);
  return {};
}

Result<> Daemon::scribble(const std::string& file, const std::string& text) const {
  return write_file(manifests_ / file, text);
}

Process Daemon::lbctl(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {FAIRLEAD_LBCTL_PROGRAM, "--socket", socket_});
  auto process = Process::start(arguments);
  if (!process) throw std::runtime_error(process.error().message);
  process->wait(kLbctlPatience);
  return std::move(*process);
}

Result<boost::json::value> Daemon::query_json(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"-o", "json"});
  Process process = lbctl(std::move(arguments));
  if (process.status() != 0) return Error{"lbctl: " + process.err(), process.status().value_or(ETIMEDOUT)};
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(process.out(), error);
  if (error) return Error{"lbctl printed something that is not JSON: " + process.out(), EPROTO};
  return value;
}

bool Daemon::is_ready(Ready ready) const {
  const auto status = query<admin::StatusView>({"status"});
  return status && (status->synced || ready == kAnswers);
}

}  // namespace fairlead::test
