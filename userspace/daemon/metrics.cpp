// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/text_serializer.h>

#include <algorithm>

#include "userspace/util/version.h"

namespace fairlead::daemon {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

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

class Family {
 public:
  Family(const std::string& name, const std::string& help, MetricType type) : family_{name, help, type, {}} {}

  Family& add(Labels labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (family_.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    family_.metric.push_back(std::move(metric));
    return *this;
  }

  MetricFamily take() { return std::move(family_); }

 private:
  MetricFamily family_;
};

MetricFamily verdicts(const admin::Inspector& inspector) {
  Family family("fairlead_packets_total", "Packets by hook and verdict; lbctl verdicts says what each means.",
                MetricType::Counter);
  for (const admin::HookView& hook : inspector.verdicts())
    for (const admin::VerdictView& verdict : hook.verdicts)
      family.add({{"hook", hook.hook}, {"kind", admin::to_string(verdict.kind)}, {"verdict", verdict.name}},
                 static_cast<double>(verdict.packets));
  return family.take();
}

std::vector<MetricFamily> backends(const std::vector<admin::ServiceView>& services) {
  Family packets("fairlead_service_packets_total", "Packets of each service port's present backends, by direction.",
                 MetricType::Counter);
  Family bytes("fairlead_service_bytes_total", "Layer 3 bytes of the same.", MetricType::Counter);
  Family connections("fairlead_service_connections_total", "Flows made for the same.", MetricType::Counter);
  for (const admin::ServiceView& service : services)
    for (const admin::ServicePortView& port : service.ports) {
      const Labels labels{{"service", port.id}};
      const auto with = [&](const char* direction) { return Labels{{"direction", direction}, {"service", port.id}}; };
      admin::BackendView sum;
      for (const admin::BackendView& backend : port.backends) {
        sum.packets_in += backend.packets_in;
        sum.packets_out += backend.packets_out;
        sum.bytes_in += backend.bytes_in;
        sum.bytes_out += backend.bytes_out;
        sum.connections += backend.connections;
      }
      packets.add(with("in"), static_cast<double>(sum.packets_in))
          .add(with("out"), static_cast<double>(sum.packets_out));
      bytes.add(with("in"), static_cast<double>(sum.bytes_in)).add(with("out"), static_cast<double>(sum.bytes_out));
      connections.add(labels, static_cast<double>(sum.connections));
    }
  return {packets.take(), bytes.take(), connections.take()};
}

// Without a sample where there is no API server, and before it has been heard.
MetricFamily contact(const admin::StatusView& status) {
  Family age("fairlead_apiserver_last_contact_seconds", "How long ago the API server was heard last.",
             MetricType::Gauge);
  if (status.heard_seconds >= 0) age.add({}, status.heard_seconds);
  return age.take();
}

std::vector<MetricFamily> state(const admin::Inspector& inspector, std::uint64_t failed_writes) {
  const admin::StatusView status = inspector.status();
  Family used("fairlead_map_entries", "What is in use of each kind of map.", MetricType::Gauge);
  Family limit("fairlead_map_entries_limit", "What fits.", MetricType::Gauge);
  for (const admin::UsageView& usage : status.usage) {
    if (usage.used >= 0) used.add({{"map", usage.name}}, static_cast<double>(usage.used));
    limit.add({{"map", usage.name}}, static_cast<double>(usage.limit));
  }
  return {used.take(),
          limit.take(),
          contact(status),
          Family("fairlead_source_in_sync",
                 "1 while what Services are read from has been read completely and is followed, 0 otherwise.",
                 MetricType::Gauge)
              .add({}, status.synced && status.behind_seconds == 0)
              .take(),
          Family("fairlead_source_behind_seconds",
                 "For how long changes of what Services are read from may have been missed; 0 while it is followed.",
                 MetricType::Gauge)
              .add({}, status.behind_seconds)
              .take(),
          Family("fairlead_problems",
                 "What cannot be honoured or had now, of manifests, services and the node; lbctl problems lists it.",
                 MetricType::Gauge)
              .add({}, static_cast<double>(status.problems))
              .take(),
          Family("fairlead_map_write_failures_total", "Writes to maps that failed; they are tried again.",
                 MetricType::Counter)
              .add({}, static_cast<double>(failed_writes))
              .take(),
          Family("fairlead_build_info", "1, labelled with the version.", MetricType::Gauge)
              .add({{"version", version()}}, 1)
              .take()};
}

// The policy for clients inside the cluster is that of ClusterIPs, the policy for those outside that of the rest.
bool has_no_local_endpoint(const admin::ServicePortView& port, bool internal) {
  return std::any_of(port.frontends.begin(), port.frontends.end(), [&](const admin::FrontendView& frontend) {
    return frontend.action == admin::Action::kDrop && (frontend.kind == admin::FrontendKind::kClusterIp) == internal;
  });
}

// Service ports whose traffic policy is Local, that have endpoints, but none on this node: what kube-proxy's gauge of
// that name counts.
MetricFamily no_local_endpoints(const std::vector<admin::ServiceView>& services) {
  Family family("kubeproxy_sync_proxy_rules_no_local_endpoints_total",
                "Service ports with a Local traffic policy and no endpoint on this node.", MetricType::Gauge);
  for (const fairlead::Family ip_family : kFamilies)
    for (const bool internal : {true, false}) {
      std::size_t count = 0;
      for (const admin::ServiceView& service : services)
        for (const admin::ServicePortView& port : service.ports)
          count += port.family == ip_family && has_no_local_endpoint(port, internal);
      family.add({{"ip_family", admin::to_string(ip_family)}, {"traffic_policy", internal ? "internal" : "external"}},
                 static_cast<double>(count));
    }
  return family.take();
}

MetricFamily answers(const char* name, const char* help, const std::map<unsigned, std::uint64_t>& counts) {
  Family family(name, help, MetricType::Counter);
  for (const unsigned code : {200u, 503u}) {
    const auto it = counts.find(code);
    family.add({{"code", std::to_string(code)}}, it == counts.end() ? 0 : static_cast<double>(it->second));
  }
  return family.take();
}

}  // namespace

Metrics::Metrics(Parts parts) : parts_(std::move(parts)) {
  auto& duration = prometheus::BuildHistogram()
                       .Name("kubeproxy_sync_proxy_rules_duration_seconds")
                       .Help("Time to bring a change into the maps.")
                       .Register(registry_);
  auto& programming = prometheus::BuildHistogram()
                          .Name("kubeproxy_network_programming_duration_seconds")
                          .Help("From what made endpoints change, elsewhere in the cluster, to the maps of this node.")
                          .Register(registry_);
  auto& timestamp = prometheus::BuildGauge()
                        .Name("kubeproxy_sync_proxy_rules_last_timestamp_seconds")
                        .Help("When the maps were last brought up to date.")
                        .Register(registry_);
  auto& queued = prometheus::BuildGauge()
                     .Name("kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds")
                     .Help("When the last change was heard of.")
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
                           .Help("EndpointSlices written or removed.")
                           .Register(registry_)
                           .Add({});
  service_changes_ = &prometheus::BuildCounter()
                          .Name("kubeproxy_sync_proxy_rules_service_changes_total")
                          .Help("Services written or removed.")
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

std::string Metrics::text() const {
  std::vector<MetricFamily> families = registry_.Collect();
  const auto append = [&](std::vector<MetricFamily> more) {
    std::move(more.begin(), more.end(), std::back_inserter(families));
  };
  // Once: it reads the counters of all backends.
  const std::vector<admin::ServiceView> services = parts_.inspector.services(admin::Backends::kTogether);
  append({verdicts(parts_.inspector), no_local_endpoints(services),
          answers("kubeproxy_proxy_healthz_total", "Answers of /healthz.", parts_.health.healthz_answers()),
          answers("kubeproxy_proxy_livez_total", "Answers of /livez.", parts_.health.livez_answers())});
  append(backends(services));
  append(state(parts_.inspector, parts_.failed_writes()));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace fairlead::daemon
