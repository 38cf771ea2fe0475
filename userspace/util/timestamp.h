// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace fairlead {

// RFC 3339 with any offset, to the nanosecond; nothing for any other text. Years that the clock cannot count to are the
// last, or first, that it can.
std::optional<std::chrono::system_clock::time_point> parse_timestamp(const std::string& text);

// RFC 3339 in UTC, to the second: "2026-01-02T03:04:05Z".
std::string format_timestamp(std::chrono::system_clock::time_point time);

}  // namespace fairlead
