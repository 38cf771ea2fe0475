// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "userspace/datapath/foreign_map.h"

namespace fairlead::datapath {

// The map of this build that is filled.
struct CarryTarget {
  int fd = -1;
  Layout layout;
  std::uint32_t entries = 0;
};

// What became of entries.
struct Carried {
  std::uint64_t entries = 0;  // seen
  std::uint64_t unfit = 0;    // of these: hold a number that their new layout has no room for
  std::uint64_t no_room = 0;  // of these: the map is full, or ends before their index
  std::uint64_t taken = 0;    // of these: their answers have the tuple of another flow by now

  std::uint64_t lost() const { return unfit + no_room + taken; }
};

// Copies the entries of a hash or an array, under the same key. What is there already stays.
Result<Carried> carry_entries(const ForeignMap& from, const CarryTarget& to);

// The same for an array with a value for each CPU, which programs of the other build go on counting in: carry_growth()
// adds what has come since the last call. A count that a program of this build makes at that instant can be lost.
class CarryCounters {
 public:
  CarryCounters(const ForeignMap& from, const CarryTarget& to, std::size_t cpus);

  Result<Carried> carry();
  Result<> carry_growth();

 private:
  using Values = std::vector<std::byte>;  // of all CPUs, each rounded up to 8 bytes
  Result<std::map<std::uint32_t, Values>> read() const;
  Result<> add(std::uint32_t index, const Values& now, const Values& before) const;

  const ForeignMap& from_;
  CarryTarget to_;
  std::size_t cpus_;
  std::map<std::uint32_t, Values> before_;  // those that are not zero
};

}  // namespace fairlead::datapath
