// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>

#include "userspace/daemon/sync.h"

namespace fairlead::daemon {

// Maps of which one refuses to be written to, as long as a test says so.
struct FailingMaps {
  std::string failing;  // the map's name; empty: none

  Sync::Maps maps() {
    Sync::Maps maps;
    maps.limits = {64, 64, 64, 64, 1u << 16, 1u << 10};
    maps.write = [this](const state::Operation& operation) -> Result<> {
      if (!failing.empty() && state::describe(operation).starts_with(failing + " "))
        return Error{"No space left on device", ENOSPC};
      return {};
    };
    return maps;
  }
};

}  // namespace fairlead::daemon
