// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

namespace fairlead::document {

// The YAML text that parse_yaml reads as these documents again. Members keep their order.
std::string write_yaml(const std::vector<boost::json::value>& documents);

}  // namespace fairlead::document
