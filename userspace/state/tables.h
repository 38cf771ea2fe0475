// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "userspace/state/abi.h"

namespace fairlead::state {

// One map's content, as userspace sees it, and the keys of it that are to be looked at.
template <class Key, class Value>
struct Table {
  using key_type = Key;
  using value_type = Value;
  static constexpr bool kAbiKey = std::is_class_v<Key>;
  using Content = std::conditional_t<kAbiKey, AbiMap<Key, Value>, std::unordered_map<Key, Value>>;
  using Keys = std::conditional_t<kAbiKey, std::unordered_set<Key, AbiHash, AbiEqual>, std::unordered_set<Key>>;
};

using Ring = std::shared_ptr<const std::vector<std::uint16_t>>;
using Members = std::shared_ptr<const std::vector<std::uint32_t>>;

using Services = Table<lb_service_key, lb_service>;
using Addresses = Table<lb_address_key, std::uint32_t>;  // LB_ADDRESS_*
using Names = Table<std::uint32_t, std::string>;         // service id -> "namespace/name:port/PROTO/family"
using Backends = Table<std::uint32_t, lb_backend>;  // slot; hop, mtu and source stand beside and are left zero here
using Rings = Table<std::uint32_t, Ring>;           // first slot in the arena
using MemberLists = Table<std::uint32_t, Members>;  // first index in lb_members
using Filter = Table<std::uint32_t, std::uint8_t>;  // bucket -> LB_CLASS_*, never 0
using Devices = Table<std::uint32_t, lb_device>;    // ifindex

// The content of the maps that userspace owns. One value of this type is what is desired, another is what is there.
struct Tables {
  Services::Content services;
  Addresses::Content addresses;
  Names::Content names;
  Backends::Content backends;
  Rings::Content rings;
  MemberLists::Content members;
  Filter::Content filter;
  Devices::Content devices;
};

}  // namespace fairlead::state
