// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/options/values.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "userspace/util/duration.h"

namespace fairlead::daemon {
namespace {

// Node names are lower case, whatever a host calls itself.
std::string as_node_name(const std::string& text) {
  std::string name(trimmed(text));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof(name) - 1);
  return as_node_name(name);
}

std::string one_of(const Texts& words) {
  std::string all = "must be ";
  for (std::size_t i = 0; i < words.size(); ++i)
    all += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return all;
}

Value integer(std::int64_t lowest, std::int64_t highest, std::function<void(std::int64_t)> take,
              std::function<std::string()> show) {
  std::string wrong = "must be a whole number between " + std::to_string(lowest) + " and " + std::to_string(highest);
  const auto read = [=, take = std::move(take)](const std::string& text) {
    const auto number = to_number<std::int64_t>(text);
    if (!number || *number < lowest || *number > highest) return wrong;
    take(*number);
    return std::string();
  };
  return scalar(Shape::kNumber, "N", read, std::move(show));
}

}  // namespace

Texts list_items(const std::string& text) {
  if (trimmed(text).empty()) return {};
  Texts items = split(text, ',');
  for (std::string& item : items)
    item = std::string(trimmed(item));
  return items;
}

std::string number_text(double number) {
  std::array<char, 512> buffer;  // the largest has 309 digits
  char *const begin = buffer.data(), *const end = begin + buffer.size();
  return {begin, std::to_chars(begin, end, number, std::chars_format::fixed).ptr};
}

bool is_empty(const Texts& texts) {
  return texts.empty() || (texts.size() == 1 && texts.front().empty());
}

bool is_zero(const Texts& texts) {
  if (texts.size() != 1) return false;
  return to_number<double>(texts.front()) == 0.0 || parse_duration(texts.front()) == std::chrono::nanoseconds(0);
}

Value scalar(Shape shape, std::string type, std::function<std::string(const std::string&)> read,
             std::function<std::string()> show) {
  return {shape, std::move(type),
          [read = std::move(read)](const Texts& texts) { return read(texts.empty() ? "" : texts.front()); },
          [show = std::move(show)] { return Texts{show()}; }};
}

Value text(std::string& value, const std::string& type) {
  const auto read = [&value](const std::string& text) {
    value = text;
    return std::string();
  };
  return scalar(Shape::kText, type, read, [&value] { return value; });
}

Value path(std::string& value) {
  const auto read = [&value](const std::string& text) {
    if (text.empty()) return "must not be empty";
    value = text;
    return "";
  };
  return scalar(Shape::kText, "PATH", read, [&value] { return value; });
}

Value word(std::string& value, const std::string& type, const Texts& words) {
  const auto read = [&value, words, initial = value](const std::string& text) {
    if (text != initial && std::find(words.begin(), words.end(), text) == words.end()) return one_of(words);
    value = text;
    return std::string();
  };
  return scalar(Shape::kText, type, read, [&value] { return value; });
}

Value whole(std::uint32_t& value, std::uint32_t lowest, std::uint32_t highest) {
  return integer(
      lowest, highest, [&value](std::int64_t number) { value = static_cast<std::uint32_t>(number); },
      [&value] { return std::to_string(value); });
}

Value whole(int& value, int lowest, int highest) {
  return integer(
      lowest, highest, [&value](std::int64_t number) { value = static_cast<int>(number); },
      [&value] { return std::to_string(value); });
}

Value whole(std::optional<int>& value, int lowest, int highest) {
  Value result = integer(
      lowest, highest, [&value](std::int64_t number) { value = static_cast<int>(number); },
      [&value] { return value ? std::to_string(*value) : std::string(); });
  result.read = [&value, read = std::move(result.read)](const Texts& texts) {
    if (!is_empty(texts)) return read(texts);
    value.reset();
    return std::string();
  };
  return result;
}

Value rate(double& value) {
  constexpr double kLeast = 0.001;
  const auto read = [&value](const std::string& text) {
    const auto number = to_number<double>(text);
    if (!number || !std::isfinite(*number) || (*number >= 0 && *number < kLeast))
      return "must be a number from 0.001, or negative for no limit";
    value = *number;
    return "";
  };
  return scalar(Shape::kNumber, "N", read, [&value] { return number_text(value); });
}

Value boolean(bool& value) {
  const auto read = [&value](const std::string& text) {
    if (text != "true" && text != "false") return "must be true or false";
    value = text == "true";
    return "";
  };
  return scalar(Shape::kBoolean, "", read, [&value] { return value ? "true" : "false"; });
}

Value seconds(std::uint32_t& value) {
  const auto read = [&value](const std::string& text) {
    const auto duration = parse_duration(text);
    if (!duration || *duration < std::chrono::seconds(1) || *duration > std::chrono::hours(24 * 365))
      return "must be a duration between 1s and 8760h, such as 1h30m";
    value = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(*duration).count());
    return "";
  };
  return scalar(Shape::kDuration, "DURATION", read, [&value] { return duration_text(std::chrono::seconds(value)); });
}

Value node_name(std::string& value) {
  const auto read = [&value](const std::string& text) {
    const std::string name = text.empty() ? host_name() : as_node_name(text);
    if (name.empty()) return "must not be blank";
    value = name;
    return "";
  };
  return scalar(Shape::kText, "NAME", read, [&value] { return value == host_name() ? "" : value; });
}

Value verbosity(std::string& log_level) {
  const auto read = [&log_level](const std::string& text) {
    // "-v=2" comes with the sign.
    const auto number = to_number<std::int32_t>(std::string_view(text).substr(text.starts_with('=') ? 1 : 0));
    if (!number || *number < 0) return "must be a whole number, 0 or more";
    log_level = *number <= 3 ? "info" : *number == 4 ? "debug" : "trace";
    return "";
  };
  return scalar(Shape::kNumber, "N", read, [&log_level] {
    return log_level == "trace" ? "5" : log_level == "debug" ? "4" : "0";
  });
}

Value log_format(bool& json) {
  const auto read = [&json](const std::string& text) {
    if (text != "text" && text != "json") return "must be text or json";
    json = text == "json";
    return "";
  };
  return scalar(Shape::kText, "FORMAT", read, [&json] { return json ? "json" : "text"; });
}

}  // namespace fairlead::daemon
