// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/daemon/periodic.h"
#include "userspace/daemon/sync.h"
#include "userspace/datapath/flows.h"

namespace fairlead::daemon {

// What the maps need while a daemon is alive: their clock, and flows that have expired taken out.
class Upkeep {
 public:
  Upkeep(boost::asio::io_context& io, datapath::Object& object, Sync& sync);

  // Of the flow table, when it was last walked through.
  const datapath::Sweeper::Pass& last_pass() const { return sweeper_.last_pass(); }

 private:
  void sweep();

  datapath::Object& object_;
  Sync& sync_;
  datapath::Sweeper sweeper_;
  Periodic second_, sweep_;
};

}  // namespace fairlead::daemon
