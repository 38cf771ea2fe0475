// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/upkeep.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace fairlead::daemon {
namespace {

// A pass over the whole flow table takes this many steps, ten a second.
constexpr std::uint32_t kSweepSteps = 100;
constexpr std::chrono::milliseconds kSweepStep{100};

}  // namespace

Upkeep::Upkeep(boost::asio::io_context& io, datapath::Object& object, Sync& sync)
    : object_(object),
      sync_(sync),
      sweeper_(object),
      second_(io, std::chrono::seconds(1),
              [this] {
                if (!left_.empty()) finish_upgrade();
              }),
      sweep_(io, kSweepStep, [this] { sweep(); }) {
}

void Upkeep::finish_upgrade() {
  const std::set<std::string> told = std::exchange(left_, {});
  for (const Error& error : object_.finish_upgrade())
    left_.insert("maps of another lbd: " + error.message);
  for (const std::string& problem : left_)
    if (!told.contains(problem)) spdlog::error("{}", problem);
  for (const std::string& problem : told)
    if (!left_.contains(problem)) spdlog::info("solved: {}", problem);
}

void Upkeep::sweep() {
  const std::uint32_t sets = object_.flow_sets(Family::IPv4) + object_.flow_sets(Family::IPv6);
  const auto passed = sweeper_.step(sets / kSweepSteps + 1);
  if (!passed)
    spdlog::error("{}", passed.error().message);
  else if (*passed)
    finish_pass();
}

void Upkeep::finish_pass() {
  if (const auto ports = sweeper_.last_pass().freed_ports)
    spdlog::warn("{} SNAT ports that no flow had were still marked as used; they are free again", ports);
  sync_.release_unused([this](const auto& buckets) { return datapath::buckets_in_use(object_, buckets); },
                       Sync::Time::clock::now());
}

}  // namespace fairlead::daemon
