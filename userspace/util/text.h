// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace fairlead {

// Without the blanks and line ends at both sides.
std::string_view trimmed(std::string_view text);

// What stands before, between and behind the separators, also where that is nothing: always one part more than there
// are separators.
std::vector<std::string> split(std::string_view text, char separator);

// What the whole text is, in decimal; nothing for any other text, and for what the type can't hold.
template <class Number>
std::optional<Number> to_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

}  // namespace fairlead
