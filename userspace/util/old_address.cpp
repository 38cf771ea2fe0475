// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/old_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

#include "userspace/util/text.h"

namespace fairlead {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::uint8_t kMappedBits = 8 * kMapped.size();

// In the dotted part, where inet_pton refuses them.
std::string without_leading_zeros(std::string_view text) {
  const std::size_t dotted = text.rfind(':') + 1;  // 0 where there is no colon
  if (text.find('.', dotted) == std::string_view::npos) return std::string(text);
  std::string result(text.substr(0, dotted));
  bool begins = true;
  for (std::size_t i = dotted; i < text.size(); ++i) {
    const bool digit_follows = i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9';
    if (begins && text[i] == '0' && digit_follows) continue;
    begins = text[i] == '.';
    result += text[i];
  }
  return result;
}

std::optional<Address> parse_mapped(const std::string& text) {
  std::array<std::uint8_t, 16> bytes{};
  if (text.find('\0') != std::string::npos || inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return std::nullopt;
  if (!std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) return std::nullopt;
  Address ipv4;
  std::copy(bytes.begin() + kMapped.size(), bytes.end(), ipv4.bytes.begin());
  return ipv4;
}

}  // namespace

std::optional<Address> parse_old_address(std::string_view text) {
  const std::string plain = without_leading_zeros(text);
  const auto address = Address::parse(plain);
  return address ? address : parse_mapped(plain);
}

std::optional<Prefix> parse_old_prefix(std::string_view text) {
  const auto slash = text.find('/');
  const std::string address = without_leading_zeros(text.substr(0, slash));
  const std::string_view rest = slash == std::string_view::npos ? "" : text.substr(slash);
  if (const auto prefix = Prefix::parse(address + std::string(rest))) return prefix;
  const auto mapped = parse_mapped(address);
  if (!mapped) return std::nullopt;
  if (rest.empty()) return Prefix{*mapped, 32};
  const auto length = to_number<std::uint8_t>(rest.substr(1));
  if (!length || *length < kMappedBits || *length > 128) return std::nullopt;
  return Prefix{*mapped, static_cast<std::uint8_t>(*length - kMappedBits)};
}

}  // namespace fairlead
