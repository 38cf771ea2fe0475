// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/upkeep.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "userspace/daemon/snat_range.h"
#include "userspace/datapath/strays.h"

namespace fairlead::daemon {
namespace {

// A pass over the whole flow table takes this many steps, ten a second.
constexpr std::uint32_t kSweepSteps = 100;
constexpr std::chrono::milliseconds kSweepStep{100};

}  // namespace

Upkeep::Upkeep(boost::asio::io_context& io, datapath::Object& object, Sync& sync, const std::string& pin_directory)
    : object_(object),
      sync_(sync),
      pin_directory_(pin_directory),
      sweeper_(object),
      second_(io, std::chrono::seconds(1), [this] { check_pins(); }),
      sweep_(io, kSweepStep, [this] { sweep(); }) {
}

void Upkeep::check_pins() {
  if (!left_.empty()) finish_upgrade();
  keep_pins();
  look_for_others();
  tell();
}

void Upkeep::finish_upgrade() {
  upgraded_ = true;
  left_.clear();
  for (const Error& error : object_.finish_upgrade())
    left_.insert("maps of another lbd: " + error.message);
  tell();
}

void Upkeep::keep_pins() {
  unpinned_.clear();
  const auto pinned = object_.restore_pins();
  for (const Error& error : pinned.failed)
    unpinned_.insert("the maps' pins: " + error.message);
  if (!pinned.maps.empty())
    spdlog::warn("{} maps were not pinned any more, and are pinned again: {}", pinned.maps.size(),
                 fmt::join(pinned.maps, ", "));
}

// Nobody writes their maps any more, and they take as much memory as ours.
void Upkeep::look_for_others() {
  others_.clear();
  for (const std::string& place : datapath::other_pins(pin_directory_).of_this_namespace)
    others_.insert(fmt::format(
        "{0} holds the maps of another lbd of this network namespace, which nothing uses any more: connections that "
        "only they know are given up, and rm -r {0} removes them",
        place));
}

void Upkeep::tell() {
  std::set<std::string> problems = left_;
  problems.insert(unpinned_.begin(), unpinned_.end());
  problems.insert(others_.begin(), others_.end());
  if (std::string range = range_problem(); !range.empty()) problems.insert(std::move(range));
  problems_.set(std::move(problems));
}

std::string Upkeep::range_problem() const {
  const lb_config& config = object_.config();
  const auto local = host::read_local_ports();
  if (!local || !config.snat_port_words) return "";
  const int last = config.snat_port_base + config.snat_port_words * 64 - 1;
  return snat_range_problem({config.snat_port_base, static_cast<std::uint16_t>(last)}, *local);
}

// Not while programs of another build are attached: ports that only they know of are not to be freed.
void Upkeep::sweep() {
  if (!upgraded_) return;
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
  sync_.release_unused({[this](const auto& buckets) { return datapath::buckets_in_use(object_, buckets); },
                        [this](const auto& backends) { return datapath::backends_in_use(object_, backends); }},
                       Sync::Time::clock::now());
}

}  // namespace fairlead::daemon
