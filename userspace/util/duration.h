// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead {

// A duration as Go, and so every Kubernetes component, writes it: "1h30m", "10s", "1.5h", "250ms". A number needs a
// unit, but for "0".
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

// The same the other way round, without parts that are zero: "24h", "1h30m", "0s".
std::string duration_text(std::chrono::seconds duration);

}  // namespace fairlead
