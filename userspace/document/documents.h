// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "userspace/document/yaml.h"

namespace fairlead::document {

// The documents of a file: JSON, one after the other, if the file's name ends in .json, or if its text begins with { or
// [ and is JSON; else YAML.
Documents parse_documents(std::string_view file_name, std::string_view text);

}  // namespace fairlead::document
