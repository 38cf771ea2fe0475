// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fairlead {

// Whether it does not begin a character.
bool is_continuation(char byte);

// Length of the UTF-8 character that the bytes begin with, or 0.
std::size_t character_length(std::string_view bytes);

bool is_utf8(std::string_view bytes);

}  // namespace fairlead
