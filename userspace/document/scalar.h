// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace fairlead::document {

// What an unquoted YAML scalar means to Kubernetes, which reads YAML 1.1 as go-yaml v2 does: yes, no, on, off and their
// like are booleans, 010 and 0o10 are eight, 1_000 is a thousand, 2001-12-14 and 12:30:45 are strings. Infinities and
// NaN come as such, though JSON has no form for them.
boost::json::value resolve_plain(std::string_view text);

}  // namespace fairlead::document
