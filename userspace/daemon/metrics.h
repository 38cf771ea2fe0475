// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "maps/abi.h"
#include "userspace/admin/health.h"
#include "userspace/admin/inspector.h"
#include "userspace/model/store.h"

namespace fairlead::daemon {

// What Prometheus reads. Figures that kube-proxy has too are under kube-proxy's names, our own begin with fairlead_.
// Counters of the datapath are read from the maps when they are asked for.
//
// With thousands of Services they are many, and a thread of its own reads and writes them: the event loop only says
// what there is.
class Metrics {
 public:
  using ServiceStats = std::vector<lb_backend_stats>;  // by lb_service.id
  struct Parts {
    const admin::Inspector& inspector;
    const admin::Health& health;
    std::function<std::uint64_t()> failed_writes;
    std::function<std::uint32_t()> backend_slots_end;
    // Of slots below that end. Called on a thread of its own.
    std::function<ServiceStats(std::uint32_t)> service_stats;
  };
  explicit Metrics(Parts parts);

  void count_changes(const model::Store::Changed& changed);
  void synced(std::chrono::steady_clock::duration took);
  // What these began has reached the maps.
  void programmed(const model::Store::Changed::Triggers& triggers);
  void queued();

  // The text that /metrics answers. To be awaited on the event loop.
  boost::asio::awaitable<std::string> text() const;

 private:
  // What only the event loop may look at.
  struct Snapshot {
    std::vector<admin::PortSummary> ports;
    admin::StatusView status;
    std::vector<admin::HookView> hooks;
    std::map<unsigned, std::uint64_t> healthz_answers, livez_answers;
    std::uint64_t failed_writes;
    std::uint32_t backend_slots_end;
  };
  Snapshot take() const;
  std::string write(const Snapshot& snapshot) const;

  Parts parts_;
  prometheus::Registry registry_;
  std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  prometheus::Histogram* sync_duration_[2];
  prometheus::Histogram* programming_duration_[2];
  prometheus::Gauge* sync_timestamp_[2];
  prometheus::Gauge* queued_timestamp_[2];
  prometheus::Counter* endpoint_changes_;
  prometheus::Counter* service_changes_;
  mutable boost::asio::thread_pool writer_{1};  // the last: it must have ended before anything that it reads
};

}  // namespace fairlead::daemon
