// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "userspace/datapath/carry_flows.h"
#include "userspace/datapath/foreign_pools.h"

namespace fairlead::datapath {

// Ports that are marked in pools, and that no flow has had in any look so far.
class UnownedPorts {
 public:
  // What was marked before the flows were looked at, and what these have. No look has found anything before the first.
  void narrow(std::vector<lb_snat_pool> marked, const std::vector<lb_snat_pool>& owned);
  std::uint64_t of(std::size_t pool, std::size_t word) const { return pools_.empty() ? 0 : pools_[pool].used[word]; }

 private:
  std::vector<lb_snat_pool> pools_;
};

// Fills pools of a new layout with the source ports that the flows of this build's tables have, and keeps both builds'
// programs from giving one port to two flows while both run.
//
// Pools that were filled before, beside another build's, are what an lbd left that was killed before finish(): each of
// the two may hold marks that divide() made, and that nobody gives back. They are told from ports that a program is
// just taking by looking at each step, seconds apart: what no flow had in any of them is nobody's.
class CarryPorts {
 public:
  // Adopted: they were filled before, and programs may be running by them.
  CarryPorts(SnatPorts ports, bool adopted, const MappedArray<lb_flow4_set>& flows4,
             const MappedArray<lb_flow6_set>& flows6)
      : ports_(ports), adopted_(adopted), flows4_(&flows4), flows6_(&flows6) {}

  // The pools of the programs that run beside this build's. Alone: a third build has none, which ports that are marked
  // in them might be divided with.
  void know(const ForeignMap& theirs, bool alone);
  // Marks what flows have.
  void carry();
  // Right before programs of this build run beside the other's: takes every other free port from the other's pools, and
  // marks all others that are free. What was taken from them before, and not given back, is taken again. Where those
  // pools cannot be understood, all are marked.
  void divide();
  // When only programs of this build run: what nobody has is free again.
  void finish();

 private:
  using Pools = std::vector<lb_snat_pool>;
  Pools in_use() const;
  Pools marked() const;
  // Says what flows have.
  Pools look();
  std::atomic_ref<__u64> word_of(std::size_t pool, std::size_t word) const;
  std::uint64_t take_from_them(std::size_t pool, std::size_t word, std::uint64_t free) const;

  SnatPorts ports_;
  bool adopted_;
  const MappedArray<lb_flow4_set>* flows4_;
  const MappedArray<lb_flow6_set>* flows6_;
  std::optional<ForeignPools> theirs_;
  bool alone_ = false;
  Pools reserved_;  // marked by divide()
  UnownedPorts unowned_here_, unowned_there_;
};

}  // namespace fairlead::datapath
