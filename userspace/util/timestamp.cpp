// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/timestamp.h"

#include <time.h>

#include <algorithm>
#include <cctype>
#include <cstdint>

namespace fairlead {
namespace {

using std::chrono::system_clock;

// ".123456", as far as there is one; further digits than nanoseconds have no place.
std::chrono::nanoseconds take_fraction(const char*& text) {
  std::chrono::nanoseconds fraction{0};
  if (*text != '.' || !std::isdigit(static_cast<unsigned char>(text[1]))) return fraction;
  std::chrono::nanoseconds unit = std::chrono::milliseconds(100);
  for (++text; std::isdigit(static_cast<unsigned char>(*text)); ++text) {
    fraction += (*text - '0') * unit;
    unit /= 10;
  }
  return fraction;
}

}  // namespace

std::optional<system_clock::time_point> parse_timestamp(const std::string& text) {
  tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (!rest) return std::nullopt;
  const std::chrono::nanoseconds fraction = take_fraction(rest);
  tm zone{};
  const char* end = strptime(rest, "%z", &zone);
  if (!end || *end || end != text.c_str() + text.size()) return std::nullopt;
  constexpr std::int64_t kMost = std::chrono::floor<std::chrono::seconds>(system_clock::duration::max()).count();
  const std::int64_t seconds = timegm(&parts) - zone.tm_gmtoff;
  if (seconds >= kMost || seconds <= -kMost)
    return system_clock::time_point(std::chrono::seconds(std::clamp(seconds, -kMost, kMost)));
  return system_clock::time_point(std::chrono::seconds(seconds)) +
         std::chrono::duration_cast<system_clock::duration>(fraction);
}

std::string format_timestamp(system_clock::time_point time) {
  const time_t seconds = system_clock::to_time_t(time);
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return {text, strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace fairlead
