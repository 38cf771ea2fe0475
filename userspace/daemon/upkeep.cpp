// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/upkeep.h"

#include <spdlog/spdlog.h>

namespace fairlead::daemon {
namespace {

// A pass over the whole flow table takes this many steps, ten a second.
constexpr std::uint32_t kSweepSteps = 100;
constexpr std::chrono::milliseconds kSweepStep{100};

}  // namespace

// The datapath's time is seconds that a daemon was alive.
Upkeep::Upkeep(boost::asio::io_context& io, datapath::Object& object, Sync& sync)
    : object_(object),
      sync_(sync),
      sweeper_(object),
      second_(io, std::chrono::seconds(1), [this] { ++object_.clock[0].now; }),
      sweep_(io, kSweepStep, [this] { sweep(); }) {
}

void Upkeep::sweep() {
  const std::uint32_t sets = object_.flow_sets(Family::IPv4) + object_.flow_sets(Family::IPv6);
  const auto passed = sweeper_.step(sets / kSweepSteps + 1);
  if (!passed)
    spdlog::error("{}", passed.error().message);
  else if (*passed)
    sync_.release_unused([this](const auto& buckets) { return datapath::buckets_in_use(object_, buckets); },
                         Sync::Time::clock::now());
}

}  // namespace fairlead::daemon
