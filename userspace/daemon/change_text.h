// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "userspace/state/port_spec.h"

namespace fairlead::daemon {

// "1 service port", "2 service ports".
std::string counted(std::size_t number, const std::string& what);

// What is different: "+backend 10.0.0.1:8080/TCP active, -frontend 192.0.2.1:80/TCP". Empty where that is nothing but
// the order.
std::string change_text(const state::PortSpec& before, const state::PortSpec& now);

}  // namespace fairlead::daemon
