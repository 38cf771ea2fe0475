// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>

namespace fairlead::test {

// A copy of this process that does some work, and what it has made then is left to whoever cleans up after a process
// that is killed.
class Doomed {
 public:
  // Of the work: says how it went, and never returns. What the work has made lives until then.
  using Wait = std::function<void(bool)>;

  // Returns when the work waits, or has ended.
  explicit Doomed(const std::function<void(const Wait&)>& work);
  Doomed(const Doomed&) = delete;
  Doomed& operator=(const Doomed&) = delete;
  ~Doomed() { kill(); }

  bool went_well() const { return went_well_; }
  // By SIGKILL; returns when it is dead.
  void kill();

 private:
  pid_t pid_;
  bool went_well_ = false;
};

}  // namespace fairlead::test
