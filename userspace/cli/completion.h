// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::cli {

// A shell script that completes lbctl's command line by asking `lbctl __complete`, so that it never lags behind the
// commands. Nothing for a shell that is not known.
std::optional<std::string> completion_script(const std::string& shell);

// What may stand in place of the last word: subcommands and flags that begin with it, and services where a command
// takes one.
std::vector<std::string> complete(const CLI::App& app, const std::vector<std::string>& words,
                                  const std::function<std::vector<std::string>()>& services);

}  // namespace fairlead::cli
