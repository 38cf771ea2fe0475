// SPDX-License-Identifier: Apache-2.0
#include "userspace/document/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace fairlead::document {
namespace {

namespace json = boost::json;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::optional<json::value> resolve_word(std::string_view text) {
  static constexpr auto kTrue =
      std::to_array<std::string_view>({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"});
  static constexpr auto kFalse =
      std::to_array<std::string_view>({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"});
  static constexpr auto kNull = std::to_array<std::string_view>({"", "~", "null", "Null", "NULL"});
  static constexpr auto kNan = std::to_array<std::string_view>({".nan", ".NaN", ".NAN"});
  static constexpr auto kPlusInfinity =
      std::to_array<std::string_view>({".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"});
  static constexpr auto kMinusInfinity = std::to_array<std::string_view>({"-.inf", "-.Inf", "-.INF"});
  if (is_one_of(text, kTrue)) return json::value(true);
  if (is_one_of(text, kFalse)) return json::value(false);
  if (is_one_of(text, kNull)) return json::value(nullptr);
  if (is_one_of(text, kNan)) return json::value(std::numeric_limits<double>::quiet_NaN());
  if (is_one_of(text, kPlusInfinity)) return json::value(kInfinity);
  if (is_one_of(text, kMinusInfinity)) return json::value(-kInfinity);
  return std::nullopt;
}

// Takes the base's prefix away.
int take_base(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  const char letter = digits[1];
  const int base = letter == 'x' || letter == 'X'   ? 16
                   : letter == 'o' || letter == 'O' ? 8
                   : letter == 'b' || letter == 'B' ? 2
                                                    : 0;
  digits.remove_prefix(base == 0 ? 1 : 2);
  return base == 0 ? 8 : base;
}

std::optional<json::value> resolve_integer(std::string_view text) {
  const char sign = text.front() == '-' || text.front() == '+' ? text.front() : '\0';
  std::string_view digits = text.substr(sign ? 1 : 0);
  const int base = take_base(digits);
  std::uint64_t magnitude = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (sign == '-' && magnitude <= kMax + 1) return json::value(static_cast<std::int64_t>(0 - magnitude));
  if (magnitude <= kMax && sign != '-') return json::value(static_cast<std::int64_t>(magnitude));
  if (sign == '\0') return json::value(magnitude);
  return std::nullopt;
}

std::optional<json::value> resolve_float(std::string_view text) {
  if (text.front() == '+') text.remove_prefix(1);
  // from_chars would take "inf" and "nan" too, and a second sign.
  if (text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return json::value(number);
}

}  // namespace

json::value resolve_plain(std::string_view text) {
  if (auto word = resolve_word(text)) return *std::move(word);
  const char first = text.front();
  if (first == '.') return resolve_float(text).value_or(json::value(text));
  if (first != '+' && first != '-' && (first < '0' || first > '9')) return json::value(text);
  std::string plain(text);
  std::erase(plain, '_');
  if (auto integer = resolve_integer(plain)) return *std::move(integer);
  return resolve_float(plain).value_or(json::value(text));
}

}  // namespace fairlead::document
