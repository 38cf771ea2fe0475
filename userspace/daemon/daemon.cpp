// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/daemon.h"

#include <spdlog/spdlog.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "userspace/admin/control_api.h"
#include "userspace/daemon/endpoints.h"
#include "userspace/daemon/forwarding.h"
#include "userspace/daemon/make_source.h"
#include "userspace/daemon/periodic.h"
#include "userspace/daemon/ports.h"
#include "userspace/daemon/problem_log.h"
#include "userspace/datapath/pin_directory.h"

namespace fairlead::daemon {
namespace {

class Daemon {
 public:
  explicit Daemon(const Options& options)
      : options_(options), endpoints_(io_, options, answers()), signals_(io_, SIGTERM, SIGINT), hangups_(io_, SIGHUP) {}

  // What can be wrong with what was asked for, or be in somebody's way, comes before anything on this node is changed.
  Result<> run() {
    if (auto listening = endpoints_.listen(); !listening) return listening;
    if (auto made = take(source_, make_source(io_, options_, store_, handlers())); !made) return made;
    if (auto loaded = take(forwarding_, Forwarding::load({io_, options_, store_, *source_, endpoints_})); !loaded)
      return loaded;
    if (auto started = forwarding_->start(); !started) return started;
    if (auto started = source_->start(); !started) return started;
    leave_at_signal();
    stay_at_hangup();
    spdlog::info("lbd is running for node {}", options_.node_name);
    io_.run();
    return {};
  }

 private:
  using Clock = std::chrono::steady_clock;

  template <class T>
  static Result<> take(T& part, Result<T> made) {
    if (!made) return made.error();
    part = std::move(*made);
    return {};
  }

  // Called on the event loop, which runs when all parts are there.
  Endpoints::Handlers answers() {
    return {[this](const auto& request) { return admin::answer_control(forwarding_->inspection(), request); },
            [this](const auto& request) { return answer_health(forwarding_->health(), request); },
            [this](const auto& request) { return answer_metrics(forwarding_->metrics(), request); }};
  }

  source::Handlers handlers() {
    source::Handlers handlers;
    handlers.on_sync = [this](model::Store&) { forwarding_->store_changed(); };
    const auto log = [this](ProblemLog::Turn turn) {
      return [this, turn](const model::Problem& problem) { problems_.tell(turn, problem, Clock::now()); };
    };
    handlers.on_problem = log(ProblemLog::Turn::kCameUp);
    handlers.on_solved = log(ProblemLog::Turn::kSolved);
    return handlers;
  }

  static void log_problem(ProblemLog::Turn turn, const std::string& line) {
    spdlog::log(turn == ProblemLog::Turn::kSolved ? spdlog::level::info : spdlog::level::warn, "{}", line);
  }

  void leave_at_signal() {
    signals_.async_wait([this](auto error, int signal) {
      if (error) return;
      spdlog::info("signal {}: leaving; forwarding goes on", signal);
      io_.stop();
    });
  }

  // What others read again at it, lbd reads when it changes, or not until it is started again.
  void stay_at_hangup() {
    hangups_.async_wait([this](auto error, int) {
      if (error) return;
      spdlog::info(
          "SIGHUP: manifests, certificates and tokens are read again whenever they change; the configuration and the "
          "kubeconfig are read at a restart, which keeps all connections");
      stay_at_hangup();
    });
  }

  const Options& options_;
  boost::asio::io_context io_;
  model::Store store_;
  ProblemLog problems_{log_problem};
  Periodic problem_numbers_{io_, std::chrono::seconds(1), [this] { problems_.tick(Clock::now()); }};
  Endpoints endpoints_;
  std::unique_ptr<source::Source> source_;
  std::unique_ptr<Forwarding> forwarding_;
  boost::asio::signal_set signals_;
  boost::asio::signal_set hangups_;
};

}  // namespace

Result<> run(const Options& options) {
  const auto pins = datapath::resolve_pin_directory(options.datapath.pin_directory);
  if (!pins) return pins.error();
  Options resolved = options;
  resolved.datapath.pin_directory = *pins;
  return Daemon(resolved).run();
}

datapath::CleanUp clean_up(const Options& options) {
  return datapath::clean_up(options.datapath.pin_directory);
}

}  // namespace fairlead::daemon
