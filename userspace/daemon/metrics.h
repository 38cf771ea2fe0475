// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "userspace/admin/health.h"
#include "userspace/admin/inspector.h"
#include "userspace/model/store.h"

namespace fairlead::daemon {

// What Prometheus reads. Figures that kube-proxy has too are under kube-proxy's names, our own begin with fairlead_.
// Counters of the datapath are read from the maps when they are asked for.
class Metrics {
 public:
  struct Parts {
    const admin::Inspector& inspector;
    const admin::Health& health;
    std::function<std::uint64_t()> failed_writes;
  };
  explicit Metrics(Parts parts);

  void count_changes(const model::Store::Changed& changed);
  void synced(std::chrono::steady_clock::duration took);
  // What these began has reached the maps.
  void programmed(const model::Store::Changed::Triggers& triggers);
  void queued();

  // The text that /metrics answers.
  std::string text() const;

 private:
  Parts parts_;
  prometheus::Registry registry_;
  std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  prometheus::Histogram* sync_duration_[2];
  prometheus::Histogram* programming_duration_[2];
  prometheus::Gauge* sync_timestamp_[2];
  prometheus::Gauge* queued_timestamp_[2];
  prometheus::Counter* endpoint_changes_;
  prometheus::Counter* service_changes_;
};

}  // namespace fairlead::daemon
