// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "userspace/util/result.h"

namespace fairlead::datapath {

// An integer of a key or a value, or an array of such.
struct Field {
  std::string path;  // "way[0].head.sport"; "." where the whole key or value is this field
  std::uint32_t offset = 0;
  std::uint32_t size = 0;  // of one integer: 1, 2, 4 or 8
  bool network_order = false;
  std::uint32_t count = 1;

  std::uint32_t end() const { return offset + size * count; }
  bool operator==(const Field&) const = default;
};

// A key or a value. What no field covers is padding, and zero.
struct Record {
  std::uint32_t size = 0;
  std::vector<Field> fields;

  const Field* find(const std::string& path) const;
  bool operator==(const Record&) const = default;
};

// What a map is made of: enough for an lbd of another build to understand its content. As text, which is pinned beside
// the map, a line each:
//
//   map array flags 1024 entries 1
//   key 4
//   . 0 u32
//   value 8
//   ports[0].min 0 be16
//   ports[0].weights 2 u8 x6
struct Layout {
  std::string type;
  std::uint32_t flags = 0;
  std::uint32_t entries = 0;  // 1 also where the number is the operator's choice
  Record key;
  Record value;

  bool operator==(const Layout&) const = default;
};

std::string to_text(const Layout& layout);
// An error names the line.
Result<Layout> parse_layout(const std::string& text);

// The first line of `theirs` that is not in `ours`, or the other way round: where two builds differ.
std::string first_difference(const Layout& ours, const Layout& theirs);

}  // namespace fairlead::datapath
