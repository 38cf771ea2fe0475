// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/plugin_entry.h"

#include <unistd.h>

#include <map>
#include <optional>
#include <utility>

namespace fairlead::kube {
namespace {

using document::BadItem;
using document::Reader;

using Variables = std::map<std::string, std::string>;

enum class Interactive { kUnset, kNever, kIfAvailable, kAlways };

Variables our_variables() {
  Variables variables;
  for (char** word = environ; *word; ++word) {
    const std::string_view text = *word;
    const std::size_t sign = text.find('=');
    if (sign != std::string_view::npos) variables.emplace(text.substr(0, sign), text.substr(sign + 1));
  }
  return variables;
}

void read_variables(const Reader& list, Variables& variables) {
  list.items<int>(BadItem::kBreaksObject, [&](const Reader& item) -> std::optional<int> {
    variables[item["name"].required().text()] = item["value"].text();
    return std::nullopt;
  });
}

std::vector<std::string> read_words(const Reader& exec, const Entry& entry) {
  std::string program = exec["command"].required().text();
  if (program.find('/') != std::string::npos) program = entry.resolve(program);
  std::vector<std::string> words = exec["args"].items<std::string>(
      BadItem::kBreaksObject, [](const Reader& item) { return std::optional(item.text()); });
  words.insert(words.begin(), std::move(program));
  return words;
}

std::string read_version(const Reader& from) {
  const std::string version = from.required().text();
  if (version != "client.authentication.k8s.io/v1" && version != "client.authentication.k8s.io/v1beta1" &&
      !version.empty())
    from.complain("must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1");
  return version;
}

void check_interactive(const Reader& from, const std::string& version) {
  const auto mode = from.choice<Interactive>(
      {{"Never", Interactive::kNever}, {"IfAvailable", Interactive::kIfAvailable}, {"Always", Interactive::kAlways}},
      Interactive::kUnset);
  if (mode == Interactive::kAlways) from.complain("Always is not supported, there is nobody to ask");
  if (version.ends_with("/v1")) from.required();
}

}  // namespace

PluginCredentials::Plugin read_plugin(const Reader& exec, const Entry& entry, const boost::json::value& cluster) {
  PluginCredentials::Plugin plugin;
  plugin.owner = entry.where() + ": " + entry.object();
  plugin.api_version = read_version(exec["apiVersion"]);
  plugin.install_hint = exec["installHint"].text();
  plugin.command.argv = read_words(exec, entry);
  check_interactive(exec["interactiveMode"], plugin.api_version);
  Variables variables = our_variables();
  read_variables(exec["env"], variables);
  const bool tell = exec["provideClusterInfo"].boolean(false);
  variables["KUBERNETES_EXEC_INFO"] = exec_info(plugin.api_version, tell ? cluster : boost::json::value());
  for (const auto& [name, value] : variables)
    plugin.command.environment.push_back(name + "=" + value);
  return plugin;
}

}  // namespace fairlead::kube
