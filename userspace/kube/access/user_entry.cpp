// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/user_entry.h"

#include <unistd.h>

#include <map>
#include <optional>
#include <utility>

#include "userspace/kube/access/base64.h"
#include "userspace/kube/access/entry.h"
#include "userspace/kube/access/plugin_credentials.h"
#include "userspace/kube/access/user_credentials.h"

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

// A user's "exec".
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
    plugin.command.environment.emplace_back(name).append("=").append(value);
  return plugin;
}

void refuse_unsupported(const Reader& user) {
  for (const char* field : {"as", "as-uid", "as-groups", "as-user-extra"})
    if (!user[field].empty()) user[field].complain("impersonation is not supported");
  if (!user["auth-provider"].absent()) user["auth-provider"].complain("is not supported, an exec plugin is");
}

void read_token(const Reader& user, const Entry& entry, const Timing& timing, UserCredentials::Proofs& proofs) {
  const Reader token = user["token"], file = user["tokenFile"];
  if (!token.empty()) {
    if (auto value = bearer(token.text()))
      proofs.authorization = *std::move(value);
    else
      token.complain(value.error().message);
  }
  if (file.empty()) return;
  proofs.token_file.emplace(entry.resolve(file.text()), std::exchange(proofs.authorization, {}), timing);
  if (const auto usable = proofs.token_file->authorization(); !usable) file.complain(usable.error().message);
}

void read_password(const Reader& user, UserCredentials::Proofs& proofs) {
  const Reader name = user["username"], password = user["password"];
  if (name.empty() && password.empty()) return;
  if (!user["token"].empty() || !user["tokenFile"].empty())
    (name.empty() ? password : name).complain("cannot be together with a token");
  proofs.authorization = "Basic " + base64_encode(name.text() + ":" + password.text());
}

void read_certificate(const Reader& user, const Entry& entry, UserCredentials::Proofs& proofs) {
  Pem certificate = read_pem(user, entry, "client-certificate"), key = read_pem(user, entry, "client-key");
  if (!certificate.given()) return;
  const Reader field = pem_field(user, certificate, "client-certificate");
  if (!key.given()) return field.complain("needs client-key or client-key-data beside it");
  proofs.certificate.emplace(std::move(certificate), std::move(key));
  if (const auto usable = proofs.certificate->refresh(); !usable) field.complain(usable.error().message);
}

std::shared_ptr<Credentials> read(const Reader& user, const Entry& entry, const boost::json::value& cluster,
                                  const Timing& timing) {
  refuse_unsupported(user);
  UserCredentials::Proofs proofs;
  proofs.owner = entry.where() + ": " + entry.object();
  read_token(user, entry, timing, proofs);
  read_password(user, proofs);
  read_certificate(user, entry, proofs);
  const bool proven = !proofs.authorization.empty() || proofs.token_file || proofs.certificate;
  if (const Reader exec = user["exec"]; !exec.absent()) {
    auto plugin = std::make_shared<PluginCredentials>(read_plugin(exec, entry, cluster), timing);
    if (!proven) return plugin;
  }
  return std::make_shared<UserCredentials>(std::move(proofs));
}

}  // namespace

Result<std::shared_ptr<Credentials>> read_user(const Entry& entry, const boost::json::value& cluster_for_plugins,
                                               const Timing& timing) {
  return read_value(entry.body, entry.where(), entry.object(),
                    [&](const Reader& user) { return read(user, entry, cluster_for_plugins, timing); });
}

}  // namespace fairlead::kube
