// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "userspace/daemon/periodic.h"
#include "userspace/daemon/standing_problems.h"
#include "userspace/daemon/sync.h"
#include "userspace/datapath/flows.h"

namespace fairlead::daemon {

// What the maps need while a daemon is alive: flows that have expired taken out, their pins, and what other layouts
// have left removed.
class Upkeep {
 public:
  Upkeep(boost::asio::io_context& io, datapath::Object& object, Sync& sync, const std::string& pin_directory);

  // When nothing forwards by maps of another layout any more. Those that cannot be removed are tried again.
  void finish_upgrade();
  // Whether it has been called.
  bool is_upgraded() const { return upgraded_; }
  // They, what cannot be pinned again, other pin directories whose maps have not been taken over, and SNAT ports that
  // the host's own connections may have, each in words.
  const std::set<std::string>& problems() const { return problems_.all(); }

  // Of the flow table, when it was last walked through.
  const datapath::Sweeper::Pass& last_pass() const { return sweeper_.last_pass(); }

 private:
  void check_pins();
  void keep_pins();
  void look_for_others();
  void tell();
  std::string range_problem() const;
  void sweep();
  void finish_pass();

  datapath::Object& object_;
  Sync& sync_;
  const std::string pin_directory_;
  datapath::Sweeper sweeper_;
  bool upgraded_ = false;
  std::set<std::string> left_, unpinned_, others_;
  StandingProblems problems_;  // all of them
  Periodic second_, sweep_;
};

}  // namespace fairlead::daemon
