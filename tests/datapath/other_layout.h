// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "userspace/datapath/foreign_map.h"

namespace fairlead::test {

// The number that the other build has for every map.
constexpr unsigned kOtherNumber = 99;

// A layout that has all fields of this one, in another order, behind new ones.
datapath::Layout scrambled(const datapath::Layout& layout);

// Makes of a map that is pinned in this build's layout what a build with another one would have left there: the same
// content, with its description. Throws where that cannot be done.
void leave_in(const datapath::Pins& pins, const datapath::MapLayout& is, const datapath::Layout& other);
inline void leave_scrambled(const datapath::Pins& pins, const datapath::MapLayout& is, const datapath::Layout& layout) {
  leave_in(pins, is, scrambled(layout));
}

// An entry of a scrambled flow table, by the names of its fields.
class OtherEntry {
 public:
  OtherEntry(const datapath::Layout& layout, std::byte* set, std::uint32_t way);

  std::uint64_t get(const std::string& field) const;
  void set(const std::string& field, std::uint64_t value);
  std::span<std::byte> bytes() const { return bytes_; }

 private:
  const datapath::Field& field(const std::string& name) const;

  const datapath::Layout* layout_;
  std::string prefix_;
  std::byte* set_;
  std::span<std::byte> bytes_;
};

// Every entry that is in use, in the mapped memory of the map: a program of the other build would write there too.
void each_other_flow(const datapath::ForeignMap& map, const std::function<void(OtherEntry&)>& visit);

}  // namespace fairlead::test
