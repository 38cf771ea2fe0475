// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead {

enum class Family : std::uint8_t { IPv4 = 2, IPv6 = 10 };  // AF_INET and AF_INET6

// An IP address of either family, in network byte order. IPv4 uses the first four bytes, the others are zero.
struct Address {
  Family family = Family::IPv4;
  std::array<std::uint8_t, 16> bytes{};

  // Accepts what inet_pton accepts, and nothing else: no zones, no ports. An IPv4-mapped IPv6 address is refused, as
  // Kubernetes does.
  static std::optional<Address> parse(std::string_view text);
  // Throws std::invalid_argument: for literals that are known to be good.
  static Address literal(std::string_view text);

  std::string to_string() const;
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_link_local() const;
  bool is_multicast() const;

  auto operator<=>(const Address&) const = default;
};

// address/length; bits behind the length are kept as written.
struct Prefix {
  Address address;
  std::uint8_t length = 0;

  // "10.0.0.0/8", or an address alone for its full length.
  static std::optional<Prefix> parse(std::string_view text);

  bool contains(const Address& address) const;
  std::string to_string() const;

  auto operator<=>(const Prefix&) const = default;
};

// "192.0.2.1:80" or "[2001:db8::1]:80".
std::string endpoint_text(const Address& address, std::uint16_t port);

}  // namespace fairlead

template <>
struct std::hash<fairlead::Address> {
  std::size_t operator()(const fairlead::Address& address) const noexcept;
};
