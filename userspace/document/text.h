// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::document {

// Why a text cannot be read at all, and where; all three count from one.
struct TextError {
  std::size_t document = 1;
  std::size_t line = 1;
  std::size_t column = 1;
  std::string message;

  // "document 2, line 7, column 3"
  std::string place() const;
};

// An error at a byte of the text. Columns are bytes.
TextError error_at(std::string_view text, std::size_t offset, std::string message);

// Editors on some systems write one before the text, which means nothing.
std::string_view without_byte_order_mark(std::string_view text);

// What keeps the bytes from being text: anything but UTF-8, or control characters other than line ends and tabs.
std::optional<TextError> find_non_text(std::string_view bytes);

// For people: one line without control characters, cut after about `length` bytes, never inside a character.
std::string shortened(std::string_view text, std::size_t length = 60);

}  // namespace fairlead::document
