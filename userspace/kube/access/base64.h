// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::kube {

std::string base64_encode(std::string_view bytes);

// Line ends may stand anywhere in the text, padding must be complete.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace fairlead::kube
