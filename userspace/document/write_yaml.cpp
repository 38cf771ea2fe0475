// SPDX-License-Identifier: Apache-2.0
#include "userspace/document/write_yaml.h"

#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>

#include <array>
#include <charconv>
#include <string_view>

#include "userspace/document/scalar.h"

namespace fairlead::document {
namespace {

namespace json = boost::json;

// The shortest that reads back as the same number; what is whole has no point.
std::string number_text(const json::value& value) {
  std::array<char, 32> buffer;
  char *const begin = buffer.data(), *const end = begin + buffer.size();
  if (const auto* number = value.if_int64()) return {begin, std::to_chars(begin, end, *number).ptr};
  if (const auto* number = value.if_uint64()) return {begin, std::to_chars(begin, end, *number).ptr};
  return {begin, std::to_chars(begin, end, value.get_double()).ptr};
}

void emit_string(YAML::Emitter& out, std::string_view text) {
  const bool is_itself = text != "<<" && resolve_plain(text) == json::value(text);
  if (!is_itself) out << YAML::DoubleQuoted;
  out << std::string(text);
}

void emit(YAML::Emitter& out, const json::value& value) {
  if (const auto* text = value.if_string()) {
    emit_string(out, *text);
  } else if (const auto* array = value.if_array()) {
    if (array->empty()) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const json::value& item : *array)
      emit(out, item);
    out << YAML::EndSeq;
  } else if (const auto* object = value.if_object()) {
    if (object->empty()) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const auto& [key, member] : *object) {
      out << YAML::Key;
      emit_string(out, key);
      out << YAML::Value;
      emit(out, member);
    }
    out << YAML::EndMap;
  } else if (const bool* boolean = value.if_bool()) {
    out << *boolean;
  } else if (value.is_null()) {
    out << YAML::Null;
  } else {
    out << number_text(value);
  }
}

}  // namespace

std::string write_yaml(const std::vector<json::value>& documents) {
  std::string text;
  for (const json::value& document : documents) {
    YAML::Emitter out;
    out.SetNullFormat(YAML::LowerNull);
    emit(out, document);
    text += (text.empty() ? "" : "---\n") + std::string(out.c_str()) + "\n";
  }
  return text;
}

}  // namespace fairlead::document
