// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "userspace/kube/access/access.h"
#include "userspace/kube/access/command.h"
#include "userspace/kube/access/exec_credential.h"

namespace fairlead::kube {

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
  bool is_fresh() const;
  std::string hint_for(const Error& error) const;
  Error failed(const std::string& message) const;

  Plugin plugin_;
  Timing timing_;
  std::optional<ExecCredential> last_;
  std::weak_ptr<Run> running_;  // weak, because it must not outlive its io_context
};

}  // namespace fairlead::kube
