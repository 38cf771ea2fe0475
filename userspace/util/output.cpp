// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/output.h"

#include <cerrno>
#include <iostream>

namespace fairlead {

Result<> flush_output() {
  if (std::cout.flush()) return {};
  return make_error("write", "standard output", errno);
}

}  // namespace fairlead
