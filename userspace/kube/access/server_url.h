// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "userspace/kube/access/access.h"

namespace fairlead::kube {

// Errors say what is wrong with a text and leave it to the caller to quote it.

// Of a cluster, what a URL says: https://host[:port][/path], or http.
Result<Cluster> parse_server(std::string_view url);

Result<std::uint16_t> parse_port(std::string_view text);

}  // namespace fairlead::kube
