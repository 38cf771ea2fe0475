// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <string>

#include "userspace/util/result.h"

namespace fairlead::cli {

// Talks to lbd's control socket. An error has code ECONNREFUSED when no daemon answers there, ENOENT when it does not
// know what was asked for, and EPROTO or EINVAL for the rest.
class Client {
 public:
  explicit Client(std::string socket) : socket_(std::move(socket)) {}

  // The JSON that a GET of this target answers.
  Result<boost::json::value> get(const std::string& target) const;

 private:
  std::string socket_;
};

// The value as T, one of admin/view.h's shapes; an error where the daemon is of another version.
template <class T>
Result<T> as(const boost::json::value& value) {
  auto converted = boost::json::try_value_to<T>(value);
  if (!converted) return Error{"lbd's answer is not understood; are lbd and lbctl of one version?", EPROTO};
  return std::move(*converted);
}

}  // namespace fairlead::cli
