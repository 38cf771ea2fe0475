// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace fairlead::kube {

// Is told of objects. Everything happens on one thread, and none of the calls may destroy the ListWatch.
class Listener {
 public:
  virtual ~Listener() = default;

  // A whole list: begun, each object, complete. What is not in it does not exist any more. A list may be begun anew
  // before it is complete.
  virtual void list_begun() = 0;
  virtual void listed(const boost::json::value& object) = 0;
  virtual void list_complete() = 0;

  enum class Change { kAddedOrModified, kDeleted };
  // False: it contradicts what was told before, and a new list shall say what is true.
  virtual bool changed(Change change, const boost::json::value& object) = 0;

  // What keeps it from being told what happens; empty: nothing any more.
  virtual void trouble(const std::string& message) = 0;
};

}  // namespace fairlead::kube
