// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "userspace/util/result.h"

namespace fairlead::datapath {

// What becomes of a map's content in another layout, as LB_MAPS (maps/layouts.h) says.
enum class Kept { ENTRIES, COUNTERS, FLOWS, PORTS, FILTER, LOCKS };

// Made anew in any case, out of what others hold.
constexpr bool is_derived(Kept kept) {
  return kept == Kept::FILTER || kept == Kept::PORTS || kept == Kept::LOCKS;
}

struct MapLayout {
  const char* map;
  unsigned number;
  Kept kept;
};
// This build's maps that outlive it.
std::span<const MapLayout> map_layouts();

// The names under a pin directory (--bpffs-path). It is on a bpf file system and belongs to the lbd of one node, and so
// does everything in it that is what its name says:
//
//   maps/<map>-v<layout>     maps
//   layouts/<map>-v<layout>  what such a map's keys and values are made of, for an lbd of another build
//   links/                   what is attached (attachments.h)
//   namespace                whose network namespace all of it is of (pin_owner.h)
//   v<number>/               of an lbd from before 0.2, whose maps had one version together
class Pins {
 public:
  explicit Pins(std::string directory) : directory_(std::move(directory)) {}

  const std::string& directory() const { return directory_; }
  std::string maps() const { return directory_ + "/maps"; }
  std::string layouts() const { return directory_ + "/layouts"; }
  std::string map(const std::string& name, unsigned layout) const;
  std::string layout(const std::string& name, unsigned layout) const;

  // The directories v<number> that are there.
  Result<std::vector<std::string>> earlier() const;

  struct Map {
    std::string name;
    unsigned layout = 0;
  };
  // What is in maps/ and in layouts/, by its name one of an lbd's.
  Result<std::vector<Map>> pinned() const;
  Result<std::vector<Map>> described() const;

  // Makes the directories for maps and layouts, or says why they cannot be there.
  Result<> make() const;

 private:
  std::string directory_;
};

// "lb_flow4" of "lb_flow4-v2", and of "lb_flow4".
std::string map_name(const std::string& file);
// The file names of maps in a directory v<number>.
Result<std::vector<std::string>> earlier_maps(const std::string& directory);

}  // namespace fairlead::datapath
