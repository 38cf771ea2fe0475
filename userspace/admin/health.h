// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

#include "userspace/admin/http_server.h"
#include "userspace/util/address.h"

namespace fairlead::admin {

// Whether the proxy keeps up with what it is told, as kube-proxy answers it on the health port: /livez is 200 unless a
// change of some family has been waiting for longer than the timeout; /healthz is that and the node being eligible for
// traffic. Healthy until the first change. /readyz is our own, for a kubelet: /healthz, and everything that is asked
// for has been in the maps once. Time is passed in.
class Health {
 public:
  using Time = std::chrono::system_clock::time_point;

  explicit Health(std::chrono::seconds timeout) : timeout_(timeout) {}

  // A change of this family is known and not in the maps yet; it is there.
  void queued(Family family, Time now);
  void updated(Family family, Time now);
  // Everything that is asked for has been read and programmed for the first time.
  void set_synced() { synced_ = true; }
  // False while the node is going away.
  void set_node_eligible(bool eligible) { node_eligible_ = eligible; }

  bool alive(Time now) const;
  bool node_eligible() const { return node_eligible_; }
  // {"lastUpdated": ..., "currentTime": ..., "nodeEligible": ...}; /livez leaves the last one out.
  HttpResponse healthz(Time now) const;
  HttpResponse livez(Time now) const;
  // As /healthz, with "synced".
  HttpResponse readyz(Time now) const;
  // How often each was asked, by HTTP status.
  const std::map<unsigned, std::uint64_t>& healthz_answers() const { return healthz_answers_; }
  const std::map<unsigned, std::uint64_t>& livez_answers() const { return livez_answers_; }

 private:
  struct Clock {
    std::optional<Time> oldest_queued;
    Time updated;
  };
  boost::json::object describe(Time now) const;

  std::chrono::seconds timeout_;
  std::map<Family, Clock> clocks_;
  bool node_eligible_ = true;
  bool synced_ = false;
  mutable std::map<unsigned, std::uint64_t> healthz_answers_, livez_answers_;
};

}  // namespace fairlead::admin
