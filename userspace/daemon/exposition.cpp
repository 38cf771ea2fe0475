// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/exposition.h"

#include <array>
#include <charconv>

namespace fairlead::daemon {
namespace {

void append_escaped(std::string& text, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n')
      text += "\\n";
    else
      text += c;
  }
}

void append_number(std::string& text, double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text.append(digits.data(), end);
}

}  // namespace

Exposition::Exposition(std::string& text, std::string name, std::string_view meaning, Type type)
    : text_(text), name_(std::move(name)) {
  text_.append("# HELP ").append(name_).append(" ").append(meaning).append("\n");
  text_.append("# TYPE ").append(name_).append(type == Type::kCounter ? " counter\n" : " gauge\n");
}

Exposition& Exposition::add(Labels labels, double value) {
  text_ += name_;
  char before = '{';
  for (const auto& [label, its_value] : labels) {
    text_ += std::exchange(before, ',');
    text_.append(label).append("=\"");
    append_escaped(text_, its_value);
    text_ += '"';
  }
  if (labels.size() > 0) text_ += '}';
  text_ += ' ';
  append_number(text_, value);
  text_ += '\n';
  return *this;
}

}  // namespace fairlead::daemon
