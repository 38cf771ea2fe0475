// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "maps/frames.h"
#include "userspace/state/limits.h"
#include "userspace/state/tables.h"

namespace fairlead::state {

// Keys that may differ between desired and actual: what a diff looks at, so that its cost is that of the change.
struct Touched {
  Services::Keys services;
  Addresses::Keys addresses;
  Names::Keys names;
  Backends::Keys backends;
  Rings::Keys rings;
  MemberLists::Keys members;
  Filter::Keys filter;
  Devices::Keys devices;

  void add_all(const Tables& tables);
  void merge(const Touched& other);
  bool empty() const;
};

// Which map a write goes to. kMap is the map's name, the pointers say where its content and touched keys are.
struct ToServices {
  using Of = Services;
  static constexpr const char* kMap = "lb_services";
  static constexpr auto kContent = &Tables::services;
  static constexpr auto kTouched = &Touched::services;
};
struct ToAddresses {
  using Of = Addresses;
  static constexpr const char* kMap = "lb_addresses";
  static constexpr auto kContent = &Tables::addresses;
  static constexpr auto kTouched = &Touched::addresses;
};
struct ToNames {
  using Of = Names;
  static constexpr const char* kMap = "lb_service_names";
  static constexpr auto kContent = &Tables::names;
  static constexpr auto kTouched = &Touched::names;
};
struct ToBackends {
  using Of = Backends;
  static constexpr const char* kMap = "lb_backends";
  static constexpr auto kContent = &Tables::backends;
  static constexpr auto kTouched = &Touched::backends;
};
struct ToRings {
  using Of = Rings;
  static constexpr const char* kMap = "lb_rings";
  static constexpr auto kContent = &Tables::rings;
  static constexpr auto kTouched = &Touched::rings;
};
struct ToMembers {
  using Of = MemberLists;
  static constexpr const char* kMap = "lb_members";
  static constexpr auto kContent = &Tables::members;
  static constexpr auto kTouched = &Touched::members;
};
struct ToFilter {
  using Of = Filter;
  static constexpr const char* kMap = "lb_filter";
  static constexpr auto kContent = &Tables::filter;
  static constexpr auto kTouched = &Touched::filter;
};
struct ToDevices {
  using Of = Devices;
  static constexpr const char* kMap = "lb_devices";
  static constexpr std::uint32_t kRoom = LB_FRAME_SLOTS / 2;  // entries: each may take two slots of lb_frames
  static constexpr auto kContent = &Tables::devices;
  static constexpr auto kTouched = &Touched::devices;
};

// One write to one map; without a value it removes the key. Removing a ring or a member list writes nothing: it says
// that its space may be given to another.
template <class To>
struct Write {
  typename To::Of::key_type key;
  std::optional<typename To::Of::value_type> value;
};

using Operation = std::variant<Write<ToServices>, Write<ToAddresses>, Write<ToNames>, Write<ToBackends>, Write<ToRings>,
                               Write<ToMembers>, Write<ToFilter>, Write<ToDevices>>;

// The writes that turn actual into desired, in an order that never lets the datapath follow a reference to something
// that is not there: what is referred to is added first and removed last, and the filter, which leads to everything, is
// opened last of the additions and closed first of the removals. Devices are what all the others are sent through.
//
// Additions come before removals, so that what is replaced is there all the time; but where a map has no room for both,
// frontends and addresses that go make room first.
std::vector<Operation> diff(const Tables& desired, const Tables& actual, const Touched& touched,
                            const Limits& limits = kNoLimits);

// Records a write that has succeeded.
void apply(Tables& tables, const Operation& operation);

// Marks the write's key as one to look at again.
void touch(Touched& touched, const Operation& operation);

// "lb_services 192.0.2.1:80/TCP", for logs.
std::string describe(const Operation& operation);

}  // namespace fairlead::state
