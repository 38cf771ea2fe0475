// SPDX-License-Identifier: Apache-2.0
#include "userspace/document/text.h"

#include <algorithm>

#include "userspace/util/utf8.h"

namespace fairlead::document {
namespace {

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
