// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/utf8.h"

#include <algorithm>

namespace fairlead {

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

// Overlong forms, surrogates and what lies behind U+10FFFF are told by the first two bytes.
std::size_t character_length(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u; };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || bytes.size() < length) return 0;
  if (!std::all_of(bytes.begin() + 1, bytes.begin() + length, is_continuation)) return 0;
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  return length;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = character_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string as_utf8(std::string bytes) {
  static constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  if (is_utf8(bytes)) return bytes;
  std::string text;
  for (std::string_view rest = bytes; !rest.empty();) {
    const std::size_t length = character_length(rest);
    text += length ? rest.substr(0, length) : kReplacement;
    rest.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

}  // namespace fairlead
