// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace fairlead::cli {

// The first word that stands where a command must be and is none; empty where there is no such word.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace fairlead::cli
