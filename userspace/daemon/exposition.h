// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead::daemon {

// One metric in Prometheus' text format, written as its samples are told: a service port more or less is some hundred
// bytes of text and nothing else.
class Exposition {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  enum class Type { kCounter, kGauge };

  // What the metric means is said for somebody who sees nothing but it.
  Exposition(std::string& text, std::string name, std::string_view meaning, Type type);

  Exposition& add(Labels labels, double value);

 private:
  std::string& text_;
  std::string name_;
};

}  // namespace fairlead::daemon
