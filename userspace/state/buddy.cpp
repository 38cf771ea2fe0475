// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/buddy.h"

#include <algorithm>
#include <bit>

namespace fairlead::state {

BuddyAllocator::BuddyAllocator(std::uint32_t capacity, std::uint32_t smallest)
    : capacity_(capacity), smallest_(smallest), free_(std::countr_zero(capacity / smallest) + 1) {
  free_.back().insert(0);
}

std::uint32_t BuddyAllocator::block_size(std::uint32_t units) const {
  return std::bit_ceil(std::max(units, smallest_));
}

unsigned BuddyAllocator::order_of(std::uint32_t units) const {
  return std::countr_zero(block_size(units) / smallest_);
}

std::optional<std::uint32_t> BuddyAllocator::allocate(std::uint32_t units) {
  if (units > capacity_) return std::nullopt;
  const unsigned wanted = order_of(units);
  unsigned order = wanted;
  while (order < free_.size() && free_[order].empty())
    ++order;
  if (order == free_.size()) return std::nullopt;
  const std::uint32_t offset = *free_[order].begin();
  free_[order].erase(free_[order].begin());
  while (order > wanted) {
    --order;
    free_[order].insert(offset + size_of(order));
  }
  used_ += size_of(wanted);
  return offset;
}

bool BuddyAllocator::reserve(std::uint32_t offset, std::uint32_t units) {
  if (units > capacity_ || offset > capacity_ - block_size(units) || offset % block_size(units) != 0) return false;
  const unsigned wanted = order_of(units);
  unsigned order = wanted;
  const auto around = [&](unsigned k) { return offset & ~(size_of(k) - 1); };
  while (order < free_.size() && !free_[order].contains(around(order)))
    ++order;
  if (order == free_.size()) return false;
  std::uint32_t block = around(order);
  free_[order].erase(block);
  while (order > wanted) {
    --order;
    const std::uint32_t upper = block + size_of(order);
    free_[order].insert(offset >= upper ? block : upper);
    if (offset >= upper) block = upper;
  }
  used_ += size_of(wanted);
  return true;
}

void BuddyAllocator::release(std::uint32_t offset, std::uint32_t units) {
  unsigned order = order_of(units);
  used_ -= size_of(order);
  for (; order + 1 < free_.size(); ++order) {
    const auto buddy = free_[order].find(offset ^ size_of(order));
    if (buddy == free_[order].end()) break;
    free_[order].erase(buddy);
    offset &= ~size_of(order);
  }
  free_[order].insert(offset);
}

}  // namespace fairlead::state
