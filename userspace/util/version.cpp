// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/version.h"

namespace fairlead {

const char* version() {
  return FAIRLEAD_VERSION;
}

}  // namespace fairlead
