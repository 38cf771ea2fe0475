// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/kubeconfig.h"

#include <algorithm>
#include <utility>

#include "userspace/kube/access/cluster_entry.h"
#include "userspace/kube/access/kubeconfig_files.h"
#include "userspace/kube/access/user_credentials.h"
#include "userspace/kube/access/user_entry.h"

namespace fairlead::kube {
namespace {

struct ContextEntry {
  std::string cluster;
  std::string user;  // empty: nobody
};

Result<ContextEntry> read_context(const Entry& entry) {
  return read_value(entry.body, entry.where(), entry.object(), [](const document::Reader& context) {
    return ContextEntry{context["cluster"].required().text(), context["user"].text()};
  });
}

Result<Entry> choose_context(const Kubeconfigs& all, const std::string& wanted) {
  const std::string& name = wanted.empty() ? all.current_context : wanted;
  if (name.empty()) return Error{all.names + ": current-context: is missing, and no context is asked for", 0};
  const auto found = all.contexts.find(name);
  if (found != all.contexts.end()) return found->second;
  const std::string field = wanted.empty() ? "current-context: " : "";
  return Error{all.names + ": " + field + "no context is called '" + name + "'", 0};
}

// The entry that a field of the context names.
Result<Entry> follow(const Entry& context, const std::string& kind, const std::string& name,
                     const std::map<std::string, Entry>& entries) {
  const auto found = entries.find(name);
  if (found != entries.end()) return found->second;
  return Error{context.where() + ": " + context.object() + ": " + kind + ": no " + kind + " is called '" + name + "'",
               0};
}

Result<std::shared_ptr<Credentials>> credentials_of(const Kubeconfigs& all, const Entry& context,
                                                    const std::string& user, const ClusterEntry& cluster,
                                                    const Timing& timing) {
  if (user.empty()) return std::make_shared<UserCredentials>(UserCredentials::Proofs{});
  const auto entry = follow(context, "user", user, all.users);
  if (!entry) return entry.error();
  return read_user(*entry, cluster.for_plugins, timing);
}

}  // namespace

std::vector<std::filesystem::path> kubeconfig_files(std::string_view list) {
  std::vector<std::filesystem::path> files;
  while (!list.empty()) {
    const std::string_view file = list.substr(0, list.find(':'));
    list.remove_prefix(std::min(file.size() + 1, list.size()));
    if (!file.empty() && std::find(files.begin(), files.end(), file) == files.end()) files.emplace_back(file);
  }
  return files;
}

Result<Access> from_kubeconfig(const std::vector<std::filesystem::path>& files, const std::string& context,
                               const std::string& master, const Timing& timing) {
  const auto all = read_kubeconfigs(files);
  if (!all) return all.error();
  const auto chosen = choose_context(*all, context);
  if (!chosen) return chosen.error();
  const auto parts = read_context(*chosen);
  if (!parts) return parts.error();
  const auto cluster_entry = follow(*chosen, "cluster", parts->cluster, all->clusters);
  if (!cluster_entry) return cluster_entry.error();
  auto cluster = read_cluster(*cluster_entry, master);
  if (!cluster) return cluster.error();
  auto credentials = credentials_of(*all, *chosen, parts->user, *cluster, timing);
  if (!credentials) return credentials.error();
  return Access{std::move(cluster->cluster), *std::move(credentials)};
}

}  // namespace fairlead::kube
