// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace fairlead::state {

// Hands out blocks of 2^k units, each aligned to its size, and joins freed neighbours again. Deterministic: of the
// smallest free blocks that fit, the lowest is taken. Not thread safe.
class BuddyAllocator {
 public:
  // Capacity and smallest block are in units; both are powers of two.
  BuddyAllocator(std::uint32_t capacity, std::uint32_t smallest);

  // A block of at least `units`, or nothing when there is none.
  std::optional<std::uint32_t> allocate(std::uint32_t units);
  // Takes the block at this offset, as allocate() once did. False when part of it is taken or it is not aligned or out
  // of range.
  bool reserve(std::uint32_t offset, std::uint32_t units);
  // Of a block that was allocated or reserved with the same number of units.
  void release(std::uint32_t offset, std::uint32_t units);

  std::uint32_t capacity() const { return capacity_; }
  std::uint32_t used() const { return used_; }
  // What a request of this many units takes up.
  std::uint32_t block_size(std::uint32_t units) const;

 private:
  unsigned order_of(std::uint32_t units) const;
  std::uint32_t size_of(unsigned order) const { return smallest_ << order; }

  std::uint32_t capacity_;
  std::uint32_t smallest_;
  std::uint32_t used_ = 0;
  std::vector<std::set<std::uint32_t>> free_;  // by order
};

}  // namespace fairlead::state
