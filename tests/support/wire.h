// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/support/packet.h"
#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace fairlead::test {

// A device of a namespace, frame by frame: for what no socket would send.
class Wire {
 public:
  static Result<Wire> open(const std::string& netns, const std::string& device);

  Result<> send(const Bytes& frame) const;

 private:
  explicit Wire(Fd socket) : socket_(std::move(socket)) {}

  Fd socket_;
};

}  // namespace fairlead::test
