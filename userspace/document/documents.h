// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "userspace/document/yaml.h"

namespace fairlead::document {

// The documents of a file: JSON, with a single one, if the file's name ends in .json or its text begins with { or [,
// else YAML.
Documents parse_documents(std::string_view file_name, std::string_view text);

}  // namespace fairlead::document
