// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

namespace fairlead::daemon {

// What is wrong at present, each in words. Logged when it comes up, and when it is solved.
class StandingProblems {
 public:
  // These and no others.
  void set(std::set<std::string> problems);
  const std::set<std::string>& all() const { return problems_; }

 private:
  std::set<std::string> problems_;
};

}  // namespace fairlead::daemon
