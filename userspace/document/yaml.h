// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <boost/system/result.hpp>
#include <string_view>
#include <vector>

#include "userspace/document/text.h"

namespace fairlead::document {

using Documents = boost::system::result<std::vector<boost::json::value>, TextError>;

// Each document of a YAML text as the JSON that Kubernetes makes of it before it looks at what it means; an empty
// document is null. Anchors, aliases and merge keys are expanded within bounds of depth and size. Keys become strings.
// One error anywhere, a key that stands twice in a map included, makes the whole text unreadable.
Documents parse_yaml(std::string_view text);

}  // namespace fairlead::document
