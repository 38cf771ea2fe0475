// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/bpf.h>

#include <functional>
#include <span>
#include <string>

#include "userspace/datapath/layout.h"
#include "userspace/datapath/pins.h"
#include "userspace/util/fd.h"

namespace fairlead::datapath {

// As the kernel calls it: "bpf-map", "bpf-prog", "bpf_link".
Result<std::string> kind_of(const Fd& object);

// What is pinned there, if it is a map. An error says what is there instead, ENOENT that nothing is: asked about, the
// kernel describes a program in the place of a map, and its tag would be taken for the size of keys.
Result<Fd> open_map(const std::string& path);

Result<bpf_map_info> info_of(int map);

// The keys of a hash. The kernel begins anew at a key that is gone, so where programs push old entries out for new ones
// there is no end: no more are visited than there is room for, of which some may come twice, and others not at all.
Result<> each_key(int map, const bpf_map_info& info, const std::function<Result<>(std::span<const std::byte>)>& visit);

// Whether the map was made under this name.
bool is_named(const bpf_map_info& map, const std::string& name);

// The name of descriptions, to the kernel.
constexpr const char* kDescription = "lb_layout";

// Removes what is pinned there, if it is a map that was made under the name: anything else is somebody else's, stays,
// and is named in the error. One that is not there is as good as removed.
Result<> remove_map(const std::string& path, const std::string& name);

// What a map is otherwise than a layout says, by the kernel's word: "values of size 64 instead of 48". Empty where
// nothing is; how many entries it has is not looked at.
std::string difference(const bpf_map_info& map, const Layout& layout);

// A pinned map in another layout than this build's, with what its own build said of it.
struct ForeignMap {
  std::string name;
  unsigned number = 0;
  Fd fd;
  bpf_map_info info{};
  Layout layout;

  std::string label() const { return name + "-v" + std::to_string(number); }
};
// An error says why its content cannot be understood; ESTALE that it is superseded.
Result<ForeignMap> open_foreign(const Pins& pins, const MapLayout& ours, unsigned number);

// Whether an error says what something pinned is, rather than that the kernel would not tell this time: that may be
// good, with all connections in it, and whoever gives it up for a call that was interrupted loses them.
bool tells_of_content(const Error& error);

// The text beside a pinned map. Missing is an error of ENOENT, that the map is superseded one of ESTALE, and what is no
// such text one of EINVAL.
Result<Layout> read_layout(const std::string& path);
// Takes the place of one that is there.
Result<> pin_layout(const std::string& path, const Layout& layout);
// Has it say that the map is not what programs forward by any more: whoever finds that map later, because nobody could
// remove it, must not believe it. Written into the text where it is, which takes no right to remove a file. One that is
// not there says as much.
Result<> supersede_layout(const std::string& path);

}  // namespace fairlead::datapath
