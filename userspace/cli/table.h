// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fairlead::cli {

// Rows under headings, columns as wide as they need to be. Headings that begin with '>' are of columns aligned to the
// right.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  std::string text() const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
};

// "1.5 MiB"
std::string bytes_text(std::uint64_t bytes);
// "1d 2h", "3m 4s"
std::string seconds_text(std::int64_t seconds);

}  // namespace fairlead::cli
