// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace fairlead {

// A duration as Go, and so every Kubernetes component, writes it: "1h30m", "10s", "1.5h", "250ms". A number needs a
// unit, but for "0".
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace fairlead
