// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "maps/abi.h"
#include "userspace/datapath/foreign_map.h"
#include "userspace/datapath/map.h"

namespace fairlead::datapath {

// The SNAT pools of another build, whose programs go on taking ports out of them.
class ForeignPools {
 public:
  // Nothing where its ports are not found as this build's are.
  static std::optional<ForeignPools> map(const ForeignMap& from);

  // Their ports that are marked.
  std::vector<lb_snat_pool> marked() const;
  // Takes ports of a word of a pool, so that the other build's programs do not: those that nobody had.
  std::uint64_t take(std::size_t pool, std::size_t word, std::uint64_t wanted) const;

 private:
  std::atomic_ref<std::uint64_t> word_of(std::size_t pool, std::size_t word) const;

  MappedArray<std::uint64_t> memory_;
  std::size_t pool_words_ = 0, first_word_ = 0;  // of 64 bits
};

}  // namespace fairlead::datapath
