// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/text_serializer.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "userspace/daemon/exposition.h"
#include "userspace/daemon/process_usage.h"
#include "userspace/util/version.h"

namespace fairlead::daemon {
namespace {

constexpr fairlead::Family kFamilies[] = {fairlead::Family::IPv4, fairlead::Family::IPv6};

// kube-proxy's buckets: 1 ms, doubling, 15 times.
prometheus::Histogram::BucketBoundaries buckets() {
  prometheus::Histogram::BucketBoundaries bounds;
  for (double bound = 0.001; bounds.size() < 15; bound *= 2)
    bounds.push_back(bound);
  return bounds;
}

// kube-proxy's for network programming: quarters of a second, then seconds, then longer steps up to five minutes.
prometheus::Histogram::BucketBoundaries programming_buckets() {
  prometheus::Histogram::BucketBoundaries bounds{0.25, 0.5};
  const auto add = [&](double first, double step, int count) {
    for (int i = 0; i < count; ++i)
      bounds.push_back(first + step * i);
  };
  add(1, 1, 59);
  add(60, 5, 12);
  add(120, 30, 7);
  return bounds;
}

double seconds_since_epoch() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

constexpr auto kCounter = Exposition::Type::kCounter;
constexpr auto kGauge = Exposition::Type::kGauge;

void append_verdicts(std::string& text, const std::vector<admin::HookView>& hooks) {
  Exposition packets(text, "fairlead_packets_total",
                     "Packets that the datapath has seen, by hook and verdict; lbctl verdicts says what each means.",
                     kCounter);
  for (const admin::HookView& hook : hooks)
    for (const admin::VerdictView& verdict : hook.verdicts)
      packets.add({{"hook", hook.hook}, {"kind", admin::to_string(verdict.kind)}, {"verdict", verdict.name}},
                  static_cast<double>(verdict.packets));
}

// Of each service port that has an id in the statistics.
template <class Add>
void for_each_port(const std::vector<admin::PortSummary>& ports, const Metrics::ServiceStats& stats, const Add& add) {
  for (const admin::PortSummary& port : ports)
    if (port.id < stats.size()) add(port, stats[port.id]);
}

void append_traffic(std::string& text, const std::string& name, const std::string& meaning,
                    const std::vector<admin::PortSummary>& ports, const Metrics::ServiceStats& stats,
                    __u64 (lb_backend_stats::*counts)[2]) {
  Exposition family(text, name, meaning + ", by direction: in is from clients to backends, out the way back.",
                    kCounter);
  for_each_port(ports, stats, [&](const admin::PortSummary& port, const lb_backend_stats& counted) {
    for (const int direction : {0, 1})
      family.add({{"namespace", port.space},
                  {"service", port.service},
                  {"port", port.port},
                  {"protocol", port.protocol},
                  {"family", admin::to_string(port.family)},
                  {"direction", direction == 0 ? "in" : "out"}},
                 static_cast<double>((counted.*counts)[direction]));
  });
}

void append_services(std::string& text, const std::vector<admin::PortSummary>& ports,
                     const Metrics::ServiceStats& stats) {
  append_traffic(text, "fairlead_service_packets_total", "Packets that were forwarded for a service port", ports, stats,
                 &lb_backend_stats::packets);
  append_traffic(text, "fairlead_service_bytes_total", "Layer 3 bytes that were forwarded for a service port", ports,
                 stats, &lb_backend_stats::bytes);
  Exposition connections(text, "fairlead_service_connections_total",
                         "Connections, and exchanges of UDP, that were begun with backends of a service port.",
                         kCounter);
  for_each_port(ports, stats, [&](const admin::PortSummary& port, const lb_backend_stats& counted) {
    connections.add({{"namespace", port.space},
                     {"service", port.service},
                     {"port", port.port},
                     {"protocol", port.protocol},
                     {"family", admin::to_string(port.family)}},
                    static_cast<double>(counted.flows));
  });
}

void append_usage(std::string& text, const std::vector<admin::UsageView>& usage) {
  Exposition used(text, "fairlead_map_entries", "Entries of each of the datapath's maps that are in use.", kGauge);
  for (const admin::UsageView& map : usage)
    if (map.used >= 0) used.add({{"map", map.name}}, static_cast<double>(map.used));
  Exposition limit(text, "fairlead_map_entries_limit", "Entries that each of the datapath's maps has room for.",
                   kGauge);
  for (const admin::UsageView& map : usage)
    limit.add({{"map", map.name}}, static_cast<double>(map.limit));
}

void append_source(std::string& text, const admin::StatusView& status) {
  Exposition age(text, "fairlead_apiserver_last_contact_seconds", "How long ago the API server was heard last.",
                 kGauge);
  // Without a sample where there is no API server, and before it has been heard.
  if (status.heard_seconds >= 0) age.add({}, status.heard_seconds);
  Exposition(text, "fairlead_source_in_sync",
             "1 while what Services are read from has been read completely and is followed, 0 otherwise.", kGauge)
      .add({}, status.synced && status.behind_seconds == 0);
  Exposition(text, "fairlead_source_behind_seconds",
             "For how long changes of what Services are read from may have been missed; 0 while it is followed.",
             kGauge)
      .add({}, status.behind_seconds);
  Exposition(text, "fairlead_problems",
             "What cannot be honoured or had now, of manifests, services and the node; lbctl problems lists it.",
             kGauge)
      .add({}, static_cast<double>(status.problems));
}

// What kube-proxy's gauge of that name counts.
void append_no_local_endpoints(std::string& text, const std::vector<admin::PortSummary>& ports) {
  Exposition family(text, "kubeproxy_sync_proxy_rules_no_local_endpoints_total",
                    "Service ports with a Local traffic policy that have endpoints, but none on this node.", kGauge);
  for (const fairlead::Family ip_family : kFamilies) {
    std::size_t inside = 0, outside = 0;
    for (const admin::PortSummary& port : ports) {
      inside += port.family == ip_family && port.no_local_inside;
      outside += port.family == ip_family && port.no_local_outside;
    }
    const std::string_view name = admin::to_string(ip_family);
    family.add({{"ip_family", name}, {"traffic_policy", "internal"}}, static_cast<double>(inside));
    family.add({{"ip_family", name}, {"traffic_policy", "external"}}, static_cast<double>(outside));
  }
}

void append_answers(std::string& text, const char* name, const char* meaning,
                    const std::map<unsigned, std::uint64_t>& counts) {
  Exposition family(text, name, meaning, kCounter);
  for (const unsigned code : {200u, 503u}) {
    const auto it = counts.find(code);
    family.add({{"code", std::to_string(code)}}, it == counts.end() ? 0 : static_cast<double>(it->second));
  }
}

}  // namespace

Metrics::Metrics(Parts parts) : parts_(std::move(parts)) {
  auto& duration = prometheus::BuildHistogram()
                       .Name("kubeproxy_sync_proxy_rules_duration_seconds")
                       .Help("Time that it took to bring a change into the datapath's maps, in seconds.")
                       .Register(registry_);
  auto& programming = prometheus::BuildHistogram()
                          .Name("kubeproxy_network_programming_duration_seconds")
                          .Help(
                              "Time from what made endpoints change, elsewhere in the cluster, to the datapath's maps "
                              "of this node, in seconds.")
                          .Register(registry_);
  auto& timestamp = prometheus::BuildGauge()
                        .Name("kubeproxy_sync_proxy_rules_last_timestamp_seconds")
                        .Help("When the datapath's maps were last brought up to date, in seconds since the epoch.")
                        .Register(registry_);
  auto& queued = prometheus::BuildGauge()
                     .Name("kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds")
                     .Help("When the last change was heard of, in seconds since the epoch.")
                     .Register(registry_);
  for (int i = 0; i < 2; ++i) {
    const std::map<std::string, std::string> labels{{"ip_family", admin::to_string(kFamilies[i])}};
    sync_duration_[i] = &duration.Add(labels, buckets());
    programming_duration_[i] = &programming.Add(labels, programming_buckets());
    sync_timestamp_[i] = &timestamp.Add(labels);
    queued_timestamp_[i] = &queued.Add(labels);
  }
  endpoint_changes_ = &prometheus::BuildCounter()
                           .Name("kubeproxy_sync_proxy_rules_endpoint_changes_total")
                           .Help("EndpointSlices that were added, changed or removed where Services are read from.")
                           .Register(registry_)
                           .Add({});
  service_changes_ = &prometheus::BuildCounter()
                          .Name("kubeproxy_sync_proxy_rules_service_changes_total")
                          .Help("Services that were added, changed or removed where Services are read from.")
                          .Register(registry_)
                          .Add({});
}

void Metrics::count_changes(const model::Store::Changed& changed) {
  endpoint_changes_->Increment(static_cast<double>(changed.slice_writes));
  service_changes_->Increment(static_cast<double>(changed.service_writes));
}

void Metrics::queued() {
  for (auto* gauge : queued_timestamp_)
    gauge->Set(seconds_since_epoch());
}

void Metrics::synced(std::chrono::steady_clock::duration took) {
  for (auto* histogram : sync_duration_)
    histogram->Observe(std::chrono::duration<double>(took).count());
  for (auto* gauge : sync_timestamp_)
    gauge->Set(seconds_since_epoch());
}

// As kube-proxy does, without what happened before this process began, which would measure its absence; and without
// what the clocks' disagreement puts into the future.
void Metrics::programmed(const model::Store::Changed::Triggers& triggers) {
  const auto now = std::chrono::system_clock::now();
  for (const auto& [family, trigger] : triggers)
    if (trigger >= started_ && trigger <= now)
      programming_duration_[family == fairlead::Family::IPv6]->Observe(
          std::chrono::duration<double>(now - trigger).count());
}

Metrics::Snapshot Metrics::take() const {
  return {parts_.inspector.ports(),        parts_.inspector.status(),     parts_.inspector.verdicts(),
          parts_.health.healthz_answers(), parts_.health.livez_answers(), parts_.failed_writes(),
          parts_.backend_slots_end()};
}

std::string Metrics::write(const Snapshot& snapshot) const {
  std::string text = prometheus::TextSerializer().Serialize(registry_.Collect());
  append_verdicts(text, snapshot.hooks);
  append_no_local_endpoints(text, snapshot.ports);
  append_answers(text, "kubeproxy_proxy_healthz_total", "Answers that /healthz has given, by their code.",
                 snapshot.healthz_answers);
  append_answers(text, "kubeproxy_proxy_livez_total", "Answers that /livez has given, by their code.",
                 snapshot.livez_answers);
  append_services(text, snapshot.ports, parts_.service_stats(snapshot.backend_slots_end));
  append_usage(text, snapshot.status.usage);
  append_source(text, snapshot.status);
  Exposition(text, "fairlead_map_write_failures_total",
             "Writes to the datapath's maps that have failed; they are tried again.", kCounter)
      .add({}, static_cast<double>(snapshot.failed_writes));
  Exposition(text, "fairlead_build_info", "1, labelled with the version of lbd.", kGauge)
      .add({{"version", version()}}, 1);
  append_process_usage(text);
  return text;
}

boost::asio::awaitable<std::string> Metrics::text() const {
  const Snapshot snapshot = take();
  const auto written = [&]() -> boost::asio::awaitable<std::string> { co_return write(snapshot); };
  std::string text = co_await boost::asio::co_spawn(writer_, written, boost::asio::use_awaitable);
  co_return text;
}

}  // namespace fairlead::daemon
