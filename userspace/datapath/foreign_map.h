// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/bpf.h>

#include "userspace/datapath/layout.h"
#include "userspace/datapath/pins.h"
#include "userspace/util/fd.h"

namespace fairlead::datapath {

Result<bpf_map_info> info_of(int map);

// A pinned map in another layout than this build's, with what its own build said of it.
struct ForeignMap {
  std::string name;
  unsigned number = 0;
  Fd fd;
  bpf_map_info info{};
  Layout layout;

  std::string label() const { return name + "-v" + std::to_string(number); }
};
// An error says why its content cannot be understood.
Result<ForeignMap> open_foreign(const Pins& pins, const Pins::Map& pinned);

// The text beside a pinned map. Missing is an error of ENOENT.
Result<Layout> read_layout(const std::string& path);
// Takes the place of one that is there.
Result<> pin_layout(const std::string& path, const Layout& layout);

}  // namespace fairlead::datapath
