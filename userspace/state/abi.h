// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>

#include "maps/abi.h"
#include "userspace/util/address.h"

namespace fairlead::state {

// ABI structs are compared and hashed as the kernel does it: byte by byte, which their asserts about padding make well
// defined.
struct AbiHash {
  template <class T>
  std::size_t operator()(const T& value) const {
    static_assert(std::has_unique_object_representations_v<T>);
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(&value), sizeof(value)});
  }
};

struct AbiEqual {
  template <class T>
  bool operator()(const T& a, const T& b) const {
    static_assert(std::has_unique_object_representations_v<T>);
    return std::memcmp(&a, &b, sizeof(T)) == 0;
  }
};

template <class K, class V>
using AbiMap = std::unordered_map<K, V, AbiHash, AbiEqual>;
template <class K>
using AbiSet = std::unordered_set<K, AbiHash, AbiEqual>;

lb_addr to_abi(const Address& address);
// Any other family than the two, which only a damaged map holds, reads as IPv6.
Address from_abi(const lb_addr& addr, std::uint8_t family);

// The name is shorter than the map's text.
lb_service_name to_abi(std::string_view name);
std::string from_abi(const lb_service_name& name);

// Bucket of lb_filter.
std::uint32_t filter_bucket(const lb_addr& addr, std::uint8_t family);

// "192.0.2.1:80/TCP", for logs; an all-zero address reads "nodeport 30080/TCP/IPv4".
std::string describe(const lb_service_key& key);
std::string protocol_name(std::uint8_t proto);

}  // namespace fairlead::state
