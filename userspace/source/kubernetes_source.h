// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "userspace/kube/access/access.h"
#include "userspace/kube/api/event_recorder.h"
#include "userspace/kube/api/heartbeat.h"
#include "userspace/kube/api/list_watch.h"
#include "userspace/source/reflector.h"
#include "userspace/source/source.h"
#include "userspace/source/troubles.h"

namespace fairlead::source {

// Keeps a store equal to what a cluster's API server has: the Services and EndpointSlices that are for a proxy (those
// that kube-proxy selects), and this node's Node.
//
// - Nothing is told before all three have been listed. What the server can't tell afterwards stays in force.
// - The first change after a pause is told at once. A burst is told in parts, so that telling takes no more than about
// a
//   third of the time, and no change waits for longer than kLongestPause.
// - That the server has fallen silent is a problem within half a minute, and what is waited for is asked again.
//
// All calls, the handlers' included, happen on the io_context's thread. The store must outlive this, and the io_context
// must not run after this is gone.
class KubernetesSource : public Source {
 public:
  static constexpr std::chrono::milliseconds kLongestPause{250};

  struct Options {
    std::string node_name;
    kube::ListWatch::Timing timing;
    kube::Heartbeat::Timing heartbeat;
  };

  KubernetesSource(boost::asio::io_context& io, kube::Access access, std::shared_ptr<kube::TokenBucket> pace,
                   Options options, model::Store& store, Handlers handlers);

  Result<> start() override;
  Unread unread() const override;
  std::string name() const override;
  const std::set<model::Problem>& problems() const override { return problems_; }
  Contact contact() const override;
  bool knows_nodes() const override { return has_listed(); }
  // As Events.
  void remark(const Remark& remark) override;

 private:
  struct Informer {
    std::unique_ptr<Reflector> reflector;
    std::unique_ptr<kube::ListWatch> list_watch;
  };

  kube::Heartbeat make_heartbeat();
  kube::Resource resource_of(const Kind& kind) const;
  void follow(const Kind& kind);
  void set_trouble(const Kind& kind, const std::string& message);
  void warn(const Kind& kind, const model::Name& name, const std::string& uid, const std::string& reason,
            const std::string& message);
  bool has_listed() const;
  void changed();
  void tell();

  boost::asio::io_context& io_;
  kube::Access access_;
  std::shared_ptr<kube::TokenBucket> pace_;
  Options options_;
  model::Store& store_;
  Handlers handlers_;
  kube::EventRecorder events_;
  std::shared_ptr<kube::Pulse> pulse_ = std::make_shared<kube::Pulse>();
  kube::Heartbeat heartbeat_;
  Troubles troubles_;
  std::vector<Informer> informers_;
  std::set<model::Problem> problems_;
  boost::asio::steady_timer timer_;
  kube::Clock::time_point not_before_;
  bool telling_ = false;  // tell() has been put on the io_context
};

}  // namespace fairlead::source
