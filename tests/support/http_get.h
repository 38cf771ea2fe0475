// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/support/lab.h"
#include "tests/support/socket.h"

namespace fairlead::test {

// What a server answers to a client on that host: the whole of it, head and body; what went wrong if there is none.
std::string http_get(const Host& from, const Endpoint& to, const std::string& path);

}  // namespace fairlead::test
