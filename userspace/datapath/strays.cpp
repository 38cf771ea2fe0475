// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/strays.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "userspace/datapath/links.h"
#include "userspace/datapath/pin_directory.h"
#include "userspace/datapath/pin_owner.h"
#include "userspace/datapath/program_name.h"
#include "userspace/util/fd.h"

namespace fairlead::datapath {
namespace {

// A map ends a moment after the last program that uses it.
constexpr std::chrono::seconds kPatience{2};
constexpr std::chrono::milliseconds kPause{50};

constexpr const char* kWhere =
    "pinned where this process does not see them, as in a bpf file system that is hidden or mounted elsewhere "
    "(findmnt -t bpf)";

bool is_of_this_namespace(const std::string& place) {
  const auto owner = pin_owner(place);
  if (!owner || *owner == PinOwner::kAnother) return false;
  return *owner == PinOwner::kThisNamespace || !Links(place).whereabouts().here.empty();
}

std::ptrdiff_t count_existing(const std::set<std::uint32_t>& maps) {
  return std::ranges::count_if(maps, [](std::uint32_t id) { return bool(Fd(bpf_map_get_fd_by_id(id))); });
}

bool holds_pinned_maps(const std::string& pin_directory) {
  const auto earlier = versioned_directories(pin_directory);
  return holds_maps(pin_directory + "/maps") || !earlier || std::ranges::any_of(*earlier, holds_maps);
}

}  // namespace

OtherPins other_pins(const std::string& pin_directory) {
  OtherPins result;
  for (const std::string& place : pin_directories_of_others(pin_directory))
    (is_of_this_namespace(place) ? result.of_this_namespace : result.of_others).push_back(place);
  return result;
}

Strays::Strays(const std::string& pin_directory, const std::vector<Attachment>& attachments)
    : pin_directory_(pin_directory), has_pins_(holds_pinned_maps(pin_directory)) {
  for (const Attachment& one : attachments) {
    has_programs_ = has_programs_ || one.ifindex;
    const auto maps = maps_of_program(one.program);
    maps_.insert(maps.begin(), maps.end());
  }
}

std::vector<Error> Strays::remaining() const {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (count_existing(maps_) && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(kPause);
  if (const auto count = count_existing(maps_))
    return {{std::to_string(count) + " maps of the programs stay: they, or the programs' links, are " + kWhere, EBUSY}};
  if (has_programs_ && !has_pins_ && maps_.empty())
    return {{"maps of the programs may stay: none are below " + pin_directory_ + ", and they may be " + kWhere, EPERM}};
  return {};
}

}  // namespace fairlead::datapath
