// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "userspace/model/problem.h"

namespace fairlead::document {

// What is found wrong with one object while it is read.
struct Findings {
  std::vector<model::Problem>& problems;
  std::string where;
  std::string object;   // "Service default/web"; only "Service" until its name is known
  bool broken = false;  // something is wrong that makes the object useless
};

enum class BadItem {
  kBreaksObject,
  kIsDropped,                // it is reported, and the others count
  kIsDroppedBesideGoodOnes,  // likewise, unless no item is left: that breaks the object
};

// A place in a JSON object: the value there, if any, and the way to it. Null counts as absent, as it does for
// Kubernetes. Each read says what is wrong with the value, marks the object as broken, and returns the fallback, so
// that one pass finds everything. Lives no longer than the value and the findings.
class Reader {
 public:
  Reader(const boost::json::value& value, Findings& findings);

  bool absent() const { return value_ == nullptr; }
  // Absent, or a string or list with nothing in it.
  bool empty() const;
  // Null where there is nothing.
  const boost::json::value* value() const { return value_; }
  // Of this object; absent where this is absent or, which is complained of, no object.
  Reader operator[](std::string_view key) const;
  // Complains when this is empty, unless it is the parent that is wrong.
  const Reader& required() const;

  std::string text(std::string_view fallback = {}) const;
  bool boolean(bool fallback) const;
  std::uint32_t number(std::uint32_t lowest, std::uint32_t highest, std::uint32_t fallback = 0) const;
  // Any number, negative ones and fractions too.
  double real(double fallback = 0) const;

  template <class T>
  using Names = std::vector<std::pair<std::string_view, T>>;
  // One of a few words. An empty string is none.
  template <class T>
  T choice(const Names<T>& names, T fallback) const;

  // Of this list: what `read` makes of each item. It returns an optional; nothing means that the item does not count.
  template <class T, class Read>
  std::vector<T> items(BadItem policy, Read&& read) const;

  void complain(const std::string& message) const;
  // Says something of the value that does not make the object useless.
  void remark(const std::string& message) const;

 private:
  Reader(const boost::json::value* value, Findings& findings, std::string path, bool lost = false);
  void complain_of_type(std::string_view wanted) const;
  const boost::json::array* list() const;
  Reader item(const boost::json::value& value, std::size_t index) const;

  const boost::json::value* value_;  // null where there is nothing
  Findings* findings_;
  std::string path_;
  bool lost_;  // absent because of a parent that is no object
};

template <class T>
T Reader::choice(const Names<T>& names, T fallback) const {
  const std::string word = text();
  if (word.empty()) return fallback;
  std::string all;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].first == word) return names[i].second;
    all += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + std::string(names[i].first);
  }
  complain("must be " + all);
  return fallback;
}

template <class T, class Read>
std::vector<T> Reader::items(BadItem policy, Read&& read) const {
  std::vector<T> result;
  const boost::json::array* values = list();
  if (values) result.reserve(values->size());
  for (std::size_t i = 0; values && i < values->size(); ++i) {
    const bool broken_before = std::exchange(findings_->broken, false);
    std::optional<T> value = read(item((*values)[i], i));
    if (value && !findings_->broken) result.push_back(*std::move(value));
    if (policy != BadItem::kBreaksObject) findings_->broken = false;
    findings_->broken |= broken_before;
  }
  if (policy == BadItem::kIsDroppedBesideGoodOnes && values && !values->empty() && result.empty())
    findings_->broken = true;
  return result;
}

}  // namespace fairlead::document
