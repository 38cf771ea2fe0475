// SPDX-License-Identifier: Apache-2.0
#include "userspace/document/reader.h"

#include <array>
#include <boost/json/serializer.hpp>

#include "userspace/document/text.h"

namespace fairlead::document {
namespace {

namespace json = boost::json;

std::string_view type_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
  }
  return "?";
}

// Only as much of it as is shown, whatever its size.
std::string as_written(const json::value& value) {
  if (const auto* text = value.if_string()) return shortened(*text);
  std::array<char, 100> buffer;
  json::serializer serializer;
  serializer.reset(&value);
  const auto written = serializer.read(buffer.data(), buffer.size());
  return shortened({written.data(), written.size()});
}

// Numbers that are whole count as integers however they are written: YAML's 08 is a float, which JSON writes as 8.
std::optional<std::uint32_t> as_number(const json::value& value) {
  if (value.is_double()) {
    const double number = value.get_double();
    if (!(number >= 0 && number <= UINT32_MAX) || number != static_cast<double>(static_cast<std::uint32_t>(number)))
      return std::nullopt;
    return static_cast<std::uint32_t>(number);
  }
  boost::system::error_code error;
  const auto number = value.to_number<std::uint32_t>(error);
  return error ? std::nullopt : std::optional(number);
}

}  // namespace

Reader::Reader(const json::value& value, Findings& findings) : Reader(&value, findings, {}) {
}

Reader::Reader(const json::value* value, Findings& findings, std::string path, bool lost)
    : value_(value && !value->is_null() ? value : nullptr), findings_(&findings), path_(std::move(path)), lost_(lost) {
}

Reader Reader::operator[](std::string_view key) const {
  // Labels and annotations have keys that look like paths.
  const bool plain = key.find_first_of("./") == std::string_view::npos;
  std::string path =
      plain ? path_ + (path_.empty() ? "" : ".") + std::string(key) : path_ + "[" + std::string(key) + "]";
  const json::object* object = value_ ? value_->if_object() : nullptr;
  if (value_ && !object) complain_of_type("an object");
  return {object ? object->if_contains(key) : nullptr, *findings_, std::move(path), lost_ || (value_ && !object)};
}

bool Reader::empty() const {
  if (absent()) return true;
  const auto* text = value_->if_string();
  const auto* array = value_->if_array();
  return (text && text->empty()) || (array && array->empty());
}

const Reader& Reader::required() const {
  if (empty() && !lost_) complain("is missing");
  return *this;
}

std::string Reader::text(std::string_view fallback) const {
  if (absent()) return std::string(fallback);
  if (const auto* text = value_->if_string()) return std::string(*text);
  complain_of_type("a string");
  return std::string(fallback);
}

bool Reader::boolean(bool fallback) const {
  if (absent()) return fallback;
  if (const bool* boolean = value_->if_bool()) return *boolean;
  complain_of_type("a boolean");
  return fallback;
}

std::uint32_t Reader::number(std::uint32_t lowest, std::uint32_t highest, std::uint32_t fallback) const {
  if (absent()) return fallback;
  if (!value_->is_number()) {
    complain_of_type("a number");
    return fallback;
  }
  const auto number = as_number(*value_);
  if (number && *number >= lowest && *number <= highest) return *number;
  complain("must be between " + std::to_string(lowest) + " and " + std::to_string(highest));
  return fallback;
}

double Reader::real(double fallback) const {
  if (absent()) return fallback;
  if (value_->is_number()) return value_->to_number<double>();
  complain_of_type("a number");
  return fallback;
}

const json::array* Reader::list() const {
  if (absent()) return nullptr;
  const json::array* array = value_->if_array();
  if (!array) complain_of_type("a list");
  return array;
}

Reader Reader::item(const json::value& value, std::size_t index) const {
  return {&value, *findings_, path_ + "[" + std::to_string(index) + "]"};
}

void Reader::complain(const std::string& message) const {
  findings_->broken = true;
  remark(message);
}

void Reader::remark(const std::string& message) const {
  model::Problem problem{findings_->where, findings_->object, path_, value_ ? as_written(*value_) : "", message};
  // Each member that is looked for in what is no object says so again.
  if (findings_->problems.empty() || findings_->problems.back() != problem)
    findings_->problems.push_back(std::move(problem));
}

void Reader::complain_of_type(std::string_view wanted) const {
  complain("must be " + std::string(wanted) + ", not " + std::string(type_of(*value_)));
}

}  // namespace fairlead::document
