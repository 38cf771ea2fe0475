// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/state/delta.h"
#include "userspace/state/held.h"

namespace fairlead::state {

// Keeps the writes of a diff in order when some of them fail. diff() gives an order in which no reference leads to
// nothing as long as each write succeeds; after a failure those that count on it have to wait, and the others go on.
class Guard {
 public:
  // With the frontends whose entries could not be written the last time.
  Guard(const Tables& desired, const Tables& actual, const Services::Keys& failed);

  bool allows(const Operation& operation) const;
  // Not made: it failed, or it was not allowed.
  void left_out(const Operation& operation);
  // Made, and applied to actual.
  void made(const Operation& operation);

 private:
  bool allows(const Write<ToServices>& write) const { return !write.value || is_there(*write.value); }
  bool allows(const Write<ToAddresses>&) const { return true; }
  bool allows(const Write<ToFilter>&) const { return true; }
  bool allows(const Write<ToDevices>&) const { return true; }
  bool allows(const Write<ToNames>& write) const { return !held_.has_name(write.key); }
  bool allows(const Write<ToBackends>& write) const;
  bool allows(const Write<ToRings>& write) const;
  bool allows(const Write<ToMembers>& write) const;
  bool is_there(const lb_service& entry) const;

  const Tables& desired_;
  const Tables& actual_;
  Held held_;
  bool all_made_;  // nothing has been left out
};

}  // namespace fairlead::state
