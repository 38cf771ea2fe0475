// SPDX-License-Identifier: Apache-2.0
#include "userspace/document/text.h"

#include <algorithm>

namespace fairlead::document {
namespace {

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

// Length of the UTF-8 character that the bytes begin with, or 0. Overlong forms, surrogates and what lies behind
// U+10FFFF are told by the first two bytes.
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

bool is_control(char byte) {
  return (static_cast<unsigned char>(byte) < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
}

}  // namespace

std::string TextError::place() const {
  return "document " + std::to_string(document) + ", line " + std::to_string(line) + ", column " +
         std::to_string(column);
}

TextError error_at(std::string_view text, std::size_t offset, std::string message) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  TextError error;
  error.line = 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t line_end = before.rfind('\n');
  error.column = 1 + before.size() - (line_end == std::string_view::npos ? 0 : line_end + 1);
  error.message = std::move(message);
  return error;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = character_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string_view without_byte_order_mark(std::string_view text) {
  static constexpr std::string_view kMark = "\xef\xbb\xbf";
  return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

std::optional<TextError> find_non_text(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = character_length(bytes.substr(at));
    if (length == 0) return error_at(bytes, at, "not UTF-8");
    if (is_control(bytes[at])) return error_at(bytes, at, "control characters are not allowed");
    at += length;
  }
  return std::nullopt;
}

std::string shortened(std::string_view text, std::size_t length) {
  std::size_t end = std::min(length, text.size());
  while (end > 0 && end < text.size() && is_continuation(text[end]))
    --end;
  std::string result(text.substr(0, end));
  std::replace_if(result.begin(), result.end(), [](char c) { return is_control(c) || c == '\n' || c == '\r'; }, ' ');
  return end < text.size() ? result + "..." : result;
}

}  // namespace fairlead::document
