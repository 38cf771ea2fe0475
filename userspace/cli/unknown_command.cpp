// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/unknown_command.h"

#include <algorithm>

namespace fairlead::cli {
namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

// Whether the word is an option whose value is the next one. Options of the whole program may stand behind any command.
bool takes_next(const CLI::App& app, const CLI::App& command, const std::string& word) {
  for (const CLI::App* owner : {&command, &app})
    if (const CLI::Option* option = owner->get_option_no_throw(word)) return option->get_items_expected_max() > 0;
  return false;
}

}  // namespace

std::string unknown_command(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* command = &app;
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (word->starts_with('-')) {
      if (takes_next(app, *command, *word) && std::next(word) != words.end()) ++word;
      continue;
    }
    const auto commands = commands_of(*command);
    if (commands.empty()) return "";
    const auto found = std::ranges::find(commands, *word, [](const CLI::App* one) { return one->get_name(); });
    if (found == commands.end()) return *word;
    command = *found;
  }
  return "";
}

}  // namespace fairlead::cli
