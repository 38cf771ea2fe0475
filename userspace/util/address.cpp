// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "userspace/util/text.h"

namespace fairlead {
namespace {

bool is_mapped(const Address& address) {
  static constexpr std::array<std::uint8_t, 12> kPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return address.family == Family::IPv6 && std::equal(kPrefix.begin(), kPrefix.end(), address.bytes.begin());
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;  // inet_pton would stop there and be content
  const std::string terminated(text);
  Address address;
  address.family = text.find(':') == std::string_view::npos ? Family::IPv4 : Family::IPv6;
  if (inet_pton(static_cast<int>(address.family), terminated.c_str(), address.bytes.data()) != 1) return std::nullopt;
  if (is_mapped(address)) return std::nullopt;
  return address;
}

Address Address::literal(std::string_view text) {
  const auto address = parse(text);
  if (!address) throw std::invalid_argument("not an IP address: " + std::string(text));
  return *address;
}

std::string Address::to_string() const {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(static_cast<int>(family), bytes.data(), text, sizeof(text));
}

bool Address::is_unspecified() const {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool Address::is_loopback() const {
  if (family == Family::IPv4) return bytes[0] == 127;
  return *this == literal("::1");
}

bool Address::is_link_local() const {
  if (family == Family::IPv4) return bytes[0] == 169 && bytes[1] == 254;
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

bool Address::is_multicast() const {
  return family == Family::IPv4 ? (bytes[0] & 0xf0) == 0xe0 : bytes[0] == 0xff;
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const std::uint8_t longest = address->family == Family::IPv4 ? 32 : 128;
  if (slash == std::string_view::npos) return Prefix{*address, longest};
  const auto length = to_number<std::uint8_t>(text.substr(slash + 1));
  if (!length || *length > longest) return std::nullopt;
  return Prefix{*address, *length};
}

bool Prefix::contains(const Address& other) const {
  if (other.family != address.family) return false;
  const std::size_t whole = length / 8;
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, other.bytes.begin())) return false;
  if (length % 8 == 0) return true;
  const std::uint8_t mask = static_cast<std::uint8_t>(0xff << (8 - length % 8));
  return (address.bytes[whole] & mask) == (other.bytes[whole] & mask);
}

std::string Prefix::to_string() const {
  return address.to_string() + "/" + std::to_string(length);
}

std::string endpoint_text(const Address& address, std::uint16_t port) {
  const std::string text = address.to_string();
  return (address.family == Family::IPv6 ? "[" + text + "]" : text) + ":" + std::to_string(port);
}

}  // namespace fairlead

std::size_t std::hash<fairlead::Address>::operator()(const fairlead::Address& address) const noexcept {
  std::uint64_t high = 0, low = 0;
  std::memcpy(&high, address.bytes.data(), 8);
  std::memcpy(&low, address.bytes.data() + 8, 8);
  return (high * 0x9e3779b97f4a7c15ull ^ low) * 0x9e3779b97f4a7c15ull + static_cast<std::size_t>(address.family);
}
