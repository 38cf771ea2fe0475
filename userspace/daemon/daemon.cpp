// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/daemon.h"

#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <filesystem>

#include "userspace/admin/control_api.h"
#include "userspace/daemon/inspection.h"
#include "userspace/daemon/metrics.h"
#include "userspace/daemon/node_network.h"
#include "userspace/daemon/sync.h"
#include "userspace/datapath/flows.h"
#include "userspace/source/access/in_cluster.h"
#include "userspace/source/access/kubeconfig.h"
#include "userspace/source/api/kubernetes_source.h"
#include "userspace/source/file_source.h"

namespace fairlead::daemon {
namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;
using SystemClock = std::chrono::system_clock;

// A pass over the whole flow table takes this many steps, ten a second.
constexpr std::uint32_t kSweepSteps = 100;
constexpr std::chrono::milliseconds kSweepStep{100};
constexpr std::chrono::seconds kNeighbours{15};
constexpr std::chrono::seconds kHealthTimeout{60};
constexpr std::chrono::seconds kBindRetry{5};

class Daemon {
 public:
  Daemon(const Options& options, std::unique_ptr<datapath::Object> object, NodeNetwork network)
      : options_(options),
        object_(std::move(object)),
        network_(std::move(network)),
        sync_(*object_, [this](const auto&... what) { remark(what...); }),
        sweeper_(*object_),
        health_(kHealthTimeout),
        inspection_({options_, *object_, network_, sync_, store_, sweeper_, [this] { return source_.get(); }}),
        metrics_({inspection_, sync_, health_}),
        server_(io_),
        second_(io_),
        sweep_(io_),
        wakeup_(io_),
        neighbours_(io_),
        healthz_retry_(io_),
        metrics_retry_(io_),
        signals_(io_, SIGTERM, SIGINT),
        host_(io_, network_.fd()) {}

  ~Daemon() { host_.release(); }

  // What can fail because somebody else is there comes before anything on this node is changed.
  Result<> run() {
    if (auto listening = listen(); !listening) return listening;
    if (auto attached = network_.attach(); !attached) return attached;
    update_node();
    auto source = make_source();
    if (!source) return source.error();
    source_ = std::move(*source);
    if (auto started = source_->start(); !started) return started;
    tick_second();
    tick_sweep();
    tick_neighbours();
    watch_host();
    signals_.async_wait([this](auto error, int signal) {
      if (error) return;
      spdlog::info("signal {}: leaving; forwarding goes on", signal);
      io_.stop();
    });
    spdlog::info("lbd is running for node {}", options_.node_name);
    io_.run();
    return {};
  }

 private:
  source::Handlers handlers() {
    source::Handlers handlers;
    handlers.on_sync = [this](model::Store& store) { synced(store); };
    handlers.on_problem = [](const model::Problem& problem) { spdlog::warn("{}", problem.to_string()); };
    handlers.on_solved = [](const model::Problem& problem) { spdlog::info("solved: {}", problem.to_string()); };
    return handlers;
  }

  Result<std::unique_ptr<source::Source>> make_source() {
    if (options_.source == "kubernetes") return make_kubernetes_source();
    source::FileSource::Options options;
    options.directory = options_.manifests;
    options.node_name = options_.node_name;
    return std::make_unique<source::FileSource>(io_, std::move(options), store_, handlers());
  }

  Result<std::unique_ptr<source::Source>> make_kubernetes_source() {
    const bool by_file = !options_.kubeconfig.empty() || !options_.master.empty();
    auto access = by_file ? source::access::from_kubeconfig(source::access::kubeconfig_files(options_.kubeconfig), {},
                                                            options_.master)
                          : source::access::in_cluster();
    if (!access) return access.error();
    const double unlimited = 1e9;
    auto pace = std::make_shared<source::api::TokenBucket>(
        options_.kube_api_qps < 0 ? unlimited : options_.kube_api_qps, options_.kube_api_burst);
    source::api::KubernetesSource::Options options;
    options.node_name = options_.node_name;
    return std::make_unique<source::api::KubernetesSource>(io_, std::move(*access), std::move(pace), std::move(options),
                                                           store_, handlers());
  }

  void remark(const model::Name& service, const std::string& reason, const std::string& message) {
    spdlog::warn("{}", message);
    if (source_) source_->remark({service, reason, message});
  }

  void synced(model::Store& store) {
    const model::Store::Changed changed = store.take_changed();
    const auto begin = SteadyClock::now();
    for (const Family family : {Family::IPv4, Family::IPv6})
      health_.queued(family, SystemClock::now());
    metrics_.queued();
    metrics_.count_changes(changed);
    if (changed.node)
      update_node(changed.services);
    else
      sync_.changed(changed.services, store, begin);
    if (!sync_.completed() && source_->complete()) {
      sync_.complete(begin);
      spdlog::info("in sync: {} service ports", sync_.specs().size());
      // What reading the first lists took and nothing will take again.
      malloc_trim(0);
    }
    tell_health();
    metrics_.synced(SteadyClock::now() - begin);
    if (!sync_.has_pending_writes()) metrics_.programmed(changed);
    schedule_wakeup();
  }

  void tell_health() {
    if (sync_.has_pending_writes()) return;
    for (const Family family : {Family::IPv4, Family::IPv6})
      health_.updated(family, SystemClock::now());
  }

  // After these services have changed, too.
  void update_node(const std::set<model::Name>& services = {}) {
    const model::Node* node = store_.node().get();
    compile::NodeView view{options_.node_name, node ? node->zone : "", network_.host_addresses()};
    health_.set_node_eligible(!node || (!node->being_deleted && !node->to_be_deleted));
    sync_.set_node(view, network_.node_addresses(node), services, store_, SteadyClock::now());
    schedule_wakeup();
  }

  Result<> listen() {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(options_.control_socket).parent_path(), ignored);
    if (auto control = server_.listen_unix(options_.control_socket, admin::control_api(inspection_)); !control)
      return control;
    if (auto health = serve(
            options_.healthz_address, [this](const auto& request) { return this->health(request); }, healthz_retry_);
        !health)
      return health;
    return serve(options_.metrics_address, [this](const auto& request) { return metrics(request); }, metrics_retry_);
  }

  // As kube-proxy does: what cannot be listened to now is tried again, unless --bind-address-hard-fail.
  Result<> serve(const std::string& address, admin::HttpHandler handler, asio::steady_timer& retry) {
    if (address.empty()) return {};
    auto listening = server_.listen_tcp(address, handler);
    if (listening || options_.bind_address_hard_fail) return listening;
    spdlog::error("{}; trying again", listening.error().message);
    retry.expires_after(kBindRetry);
    retry.async_wait([this, &address, handler, &retry](auto error) {
      if (!error) (void)serve(address, handler, retry);
    });
    return {};
  }

  admin::HttpResponse health(const admin::HttpRequest& request) {
    const auto target = admin::parse_target({request.target().data(), request.target().size()});
    if (target && target->path == "/healthz") return health_.healthz(SystemClock::now());
    if (target && target->path == "/livez") return health_.livez(SystemClock::now());
    return admin::text_response(boost::beast::http::status::not_found, "404 page not found\n");
  }

  admin::HttpResponse metrics(const admin::HttpRequest& request) {
    const auto target = admin::parse_target({request.target().data(), request.target().size()});
    if (target && target->path == "/metrics")
      return admin::text_response(boost::beast::http::status::ok, metrics_.text(),
                                  "text/plain; version=0.0.4; charset=utf-8");
    if (target && target->path == "/healthz") return admin::text_response(boost::beast::http::status::ok, "ok");
    if (target && target->path == "/proxyMode") return admin::text_response(boost::beast::http::status::ok, "ebpf");
    return admin::text_response(boost::beast::http::status::not_found, "404 page not found\n");
  }

  template <class Action>
  void every(asio::steady_timer& timer, std::chrono::milliseconds interval, Action action) {
    timer.expires_after(interval);
    timer.async_wait([this, &timer, interval, action](auto error) {
      if (error) return;
      action();
      every(timer, interval, action);
    });
  }

  // The datapath's time: seconds that a daemon was alive.
  void tick_second() {
    every(second_, std::chrono::seconds(1), [this] { ++object_->clock[0].now; });
  }

  void tick_sweep() {
    every(sweep_, kSweepStep, [this] {
      const std::uint32_t sets = object_->flow_sets(Family::IPv4) + object_->flow_sets(Family::IPv6);
      const auto swept = sweeper_.step(sets / kSweepSteps + 1);
      if (!swept)
        spdlog::error("{}", swept.error().message);
      else if (*swept)
        sync_.release_unused([this](const auto& buckets) { return datapath::buckets_in_use(*object_, buckets); },
                             SteadyClock::now());
    });
  }

  void tick_neighbours() {
    every(neighbours_, kNeighbours, [this] { network_.confirm_neighbours(); });
  }

  void schedule_wakeup() {
    const auto next = sync_.next_wakeup();
    if (!next) return;
    wakeup_.expires_at(*next);
    wakeup_.async_wait([this](auto error) {
      if (error) return;
      sync_.tick(SteadyClock::now());
      tell_health();
      schedule_wakeup();
    });
  }

  void watch_host() {
    host_.async_wait(asio::posix::stream_descriptor::wait_read, [this](auto error) {
      if (error) return;
      const auto changes = network_.read();
      if (!changes)
        spdlog::error("{}", changes.error().message);
      else if (changes->addresses)
        update_node();
      watch_host();
    });
  }

  const Options& options_;
  asio::io_context io_;
  model::Store store_;
  std::unique_ptr<datapath::Object> object_;
  NodeNetwork network_;
  Sync sync_;
  datapath::Sweeper sweeper_;
  admin::Health health_;
  Inspection inspection_;
  Metrics metrics_;
  admin::HttpServer server_;
  std::unique_ptr<source::Source> source_;
  asio::steady_timer second_, sweep_, wakeup_, neighbours_, healthz_retry_, metrics_retry_;
  asio::signal_set signals_;
  asio::posix::stream_descriptor host_;
};

}  // namespace

Result<> run(const Options& options) {
  auto object = datapath::Object::load(options.datapath);
  if (!object) return object.error();
  for (const std::string& kept : (*object)->kept())
    spdlog::warn("the pinned maps keep {}; lbd --cleanup removes them, and all connections", kept);
  auto network = NodeNetwork::open(**object, options);
  if (!network) return network.error();
  return Daemon(options, std::move(*object), std::move(*network)).run();
}

std::vector<Error> clean_up(const Options& options) {
  return datapath::remove_all(options.datapath.pin_directory);
}

}  // namespace fairlead::daemon
