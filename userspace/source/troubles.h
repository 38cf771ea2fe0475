// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "userspace/model/problem.h"

namespace fairlead::source {

// What keeps the resources of a server from being followed, as problems of the server. What has been told about a
// resource is solved when that resource is followed again, not when the next try fails in another way; and what is told
// about several is one problem, which is solved when it is over for the last of them. Of what has ever other words,
// only so many are told.
class Troubles {
 public:
  static constexpr std::size_t kMostTold = 16;  // about one resource, until it is followed again

  struct Tell {
    std::function<void(const model::Problem&)> problem;
    std::function<void(const model::Problem&)> solved;
  };
  // `who` stands for the server.
  Troubles(std::string who, Tell tell) : who_(std::move(who)), tell_(std::move(tell)) {}

  // An empty message: it is followed.
  void set(const std::string& resource, const std::string& message);

  // The latest of each resource.
  std::set<model::Problem> current() const;

 private:
  struct Trouble {
    model::Problem current;
    std::set<model::Problem> told;  // since it was followed last
  };

  bool is_told(const model::Problem& problem) const;
  void end(const std::string& resource);

  std::string who_;
  Tell tell_;
  std::map<std::string, Trouble> of_;  // by resource
};

}  // namespace fairlead::source
