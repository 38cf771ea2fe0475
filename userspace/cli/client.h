// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <string>

#include "userspace/util/result.h"

namespace fairlead::cli {

// Talks to lbd's control socket. An error has code ECONNREFUSED when no daemon answers there, EACCES when this user may
// not ask it, ENOENT when it does not know what was asked for, and EPROTO or EINVAL for the rest.
class Client {
 public:
  // patience: for the daemon to take the connection, to read and to begin to answer, each.
  explicit Client(std::string socket, std::chrono::milliseconds patience = std::chrono::seconds(5))
      : socket_(std::move(socket)), patience_(patience) {}

  // The JSON that a GET of this target answers.
  Result<boost::json::value> get(const std::string& target) const;

 private:
  Error unreachable(const boost::system::error_code& error) const;

  std::string socket_;
  std::chrono::milliseconds patience_;
};

// The value as T, one of admin/view.h's shapes; an error where the daemon is of another version.
template <class T>
Result<T> as(const boost::json::value& value) {
  auto converted = boost::json::try_value_to<T>(value);
  if (!converted) return Error{"lbd's answer is not understood; are lbd and lbctl of one version?", EPROTO};
  return std::move(*converted);
}

}  // namespace fairlead::cli
