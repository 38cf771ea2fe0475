// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/duration.h"

#include <array>
#include <charconv>
#include <cmath>

namespace fairlead {
namespace {

struct Unit {
  std::string_view name;
  double nanoseconds;
};
constexpr std::array<Unit, 6> kUnits{{{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};

std::optional<double> unit_at(std::string_view& text) {
  const std::size_t length = std::min(text.find_first_of("0123456789."), text.size());
  for (const Unit& unit : kUnits) {
    if (text.substr(0, length) != unit.name) continue;
    text.remove_prefix(length);
    return unit.nanoseconds;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  constexpr double kLongest = 9e18;  // about 292 years, as for Go
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{} || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto unit = unit_at(text);
    if (!unit) return std::nullopt;
    total += number * *unit;
  }
  if (!(total <= kLongest)) return std::nullopt;
  return std::chrono::nanoseconds(std::llround(total));
}

std::string duration_text(std::chrono::seconds duration) {
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(duration);
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(duration - hours);
  const auto seconds = duration - hours - minutes;
  std::string text;
  if (hours.count() != 0) text += std::to_string(hours.count()) + "h";
  if (minutes.count() != 0) text += std::to_string(minutes.count()) + "m";
  if (seconds.count() != 0 || text.empty()) text += std::to_string(seconds.count()) + "s";
  return text;
}

}  // namespace fairlead
