// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "userspace/datapath/config.h"

namespace fairlead::datapath {

// As the maps can have them: no smaller than asked for.
Sizes rounded(const Sizes& asked);

// A map that is made as large as the configuration says: the number that its entries stand for, and how many one of
// them takes.
struct Sized {
  const char* map;
  const char* option;  // of lbd; null where another says it too
  std::uint32_t Sizes::* size;
  std::uint32_t multiply;
  std::uint32_t divide;

  std::uint32_t entries(const Sizes& sizes) const { return sizes.*size * multiply / divide; }
  void set(Sizes& sizes, std::uint32_t entries) const { sizes.*size = entries / multiply * divide; }
};
std::span<const Sized> sized_maps();

}  // namespace fairlead::datapath
