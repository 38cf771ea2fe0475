// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/kube/access/access.h"
#include "userspace/kube/access/command.h"

namespace fairlead::kube {

// The object in which Kubernetes and credential plugins talk to each other.

// What a plugin finds in KUBERNETES_EXEC_INFO. A null `cluster` is left out.
std::string exec_info(std::string_view api_version, const boost::json::value& cluster);

struct ExecCredential {
  Identity identity;
  std::optional<std::chrono::system_clock::time_point> expires;
};

// What a plugin printed. An error names the field and quotes nothing.
Result<ExecCredential> parse_exec_credential(std::string_view output, std::string_view api_version);

// Asks a program who we are. Those who ask while it runs share its answer. Made by make_shared: a run keeps it alive.
class PluginCredentials : public Credentials, public std::enable_shared_from_this<PluginCredentials> {
 public:
  struct Plugin {
    std::string owner;  // for errors: "kubeconfig /etc/config: user 'edge'"
    Command command;
    std::string api_version;
    std::string install_hint;
  };

  PluginCredentials(Plugin plugin, const Timing& timing);

  boost::asio::awaitable<Result<Identity>> identity() override;
  void reject() override { last_.reset(); }

 private:
  struct Run;

  static boost::asio::awaitable<void> perform(std::shared_ptr<PluginCredentials> self, std::shared_ptr<Run> run);
  boost::asio::awaitable<Result<ExecCredential>> ask() const;
  bool is_fresh(const ExecCredential& credential) const;
  std::string hint_for(const Error& error) const;
  Error failed(const std::string& message) const;

  Plugin plugin_;
  Timing timing_;
  std::optional<ExecCredential> last_;
  std::weak_ptr<Run> running_;  // weak, because it must not outlive its io_context
};

}  // namespace fairlead::kube
