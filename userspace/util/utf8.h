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

// U+FFFD in place of each byte that is no part of a character. File and device names, and what others answer, may be
// any bytes, and JSON with such a byte is nobody's JSON.
std::string as_utf8(std::string bytes);

}  // namespace fairlead
