// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/completion.h"

#include <algorithm>

namespace fairlead::cli {
namespace {

constexpr const char* kBash = R"(_lbctl() {
  mapfile -t COMPREPLY < <(lbctl __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _lbctl lbctl
)";

// As a file that zsh loads when it is first needed, this is the function itself and completes; sourced, it registers
// it.
constexpr const char* kZsh = R"(#compdef lbctl
_lbctl() {
  local -a candidates
  candidates=("${(@f)$(lbctl __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a candidates
}
if [[ $funcstack[1] == _lbctl ]]; then _lbctl; else compdef _lbctl lbctl; fi
)";

constexpr const char* kFish =
    R"(complete -c lbctl -f -a '(lbctl __complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
)";

}  // namespace

std::optional<std::string> completion_script(const std::string& shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  return std::nullopt;
}

std::vector<std::string> complete(const CLI::App& app, const std::vector<std::string>& words,
                                  const std::function<std::vector<std::string>()>& services) {
  const CLI::App* command = &app;
  const std::string prefix = words.empty() ? "" : words.back();
  for (std::size_t i = 0; i + 1 < words.size(); ++i)
    for (const CLI::App* sub : command->get_subcommands([](const CLI::App*) { return true; }))
      if (sub->get_name() == words[i]) {
        command = sub;
        break;
      }
  std::vector<std::string> candidates;
  for (const CLI::App* sub : command->get_subcommands([](const CLI::App*) { return true; }))
    if (!sub->get_name().starts_with("__")) candidates.push_back(sub->get_name());
  for (const CLI::Option* option : command->get_options()) {
    for (const std::string& name : option->get_lnames())
      candidates.push_back("--" + name);
    if (option->get_positional() && option->get_type_name() == "NAMESPACE/NAME")
      for (const std::string& service : services())
        candidates.push_back(service);
  }
  std::erase_if(candidates, [&](const std::string& candidate) { return !candidate.starts_with(prefix); });
  std::sort(candidates.begin(), candidates.end());
  return candidates;
}

}  // namespace fairlead::cli
