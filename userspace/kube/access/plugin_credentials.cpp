// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/plugin_credentials.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

#include "userspace/document/text.h"
#include "userspace/kube/access/certificate.h"
#include "userspace/kube/access/entry.h"
#include "userspace/kube/access/user_credentials.h"
#include "userspace/util/text.h"
#include "userspace/util/timestamp.h"

namespace fairlead::kube {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using document::Reader;

void read_expiry(const Reader& from, ExecCredential& credential) {
  if (from.absent()) return;
  const auto expires = parse_timestamp(from.text());
  if (!expires) return from.complain("must be a time as in RFC 3339");
  credential.expires = std::chrono::floor<std::chrono::seconds>(*expires);
}

void read_identity(const Reader& status, Identity& identity) {
  const std::string token = status["token"].text();
  identity.certificate_pem = status["clientCertificateData"].text();
  identity.key_pem = status["clientKeyData"].text();
  if (!token.empty()) {
    if (auto value = bearer(token))
      identity.authorization = *std::move(value);
    else
      status["token"].complain(value.error().message);
  }
  if (identity.certificate_pem.empty() && identity.key_pem.empty()) {
    if (token.empty()) status.complain("has neither a token nor a client certificate");
  } else if (identity.certificate_pem.empty() || identity.key_pem.empty()) {
    status.complain("has only one of clientCertificateData and clientKeyData");
  } else if (const auto pair = check_pair(identity.certificate_pem, identity.key_pem); !pair) {
    status["clientCertificateData"].complain(pair.error().message);
  }
}

}  // namespace

std::string exec_info(std::string_view api_version, const json::value& cluster) {
  json::object spec{{"interactive", false}};
  if (!cluster.is_null()) spec["cluster"] = cluster;
  return json::serialize(json::object{{"apiVersion", api_version}, {"kind", "ExecCredential"}, {"spec", spec}});
}

Result<ExecCredential> parse_exec_credential(std::string_view output, std::string_view api_version) {
  boost::system::error_code error;
  const json::value object = json::parse(output, error);
  if (error) return Error{"what it wrote is not JSON: " + error.message(), 0};
  return read_value(object, "what it wrote", "", [&](const Reader& reader) {
    ExecCredential credential;
    if (reader["kind"].text() != "ExecCredential") reader["kind"].complain("must be ExecCredential");
    if (reader["apiVersion"].text() != api_version)
      reader["apiVersion"].complain("must be " + std::string(api_version) + ", as the plugin is configured");
    const Reader status = reader["status"].required();
    if (status.absent()) return credential;
    read_identity(status, credential.identity);
    read_expiry(status["expirationTimestamp"], credential);
    return credential;
  });
}

// One run of the program, and those who wait for it.
struct PluginCredentials::Run {
  explicit Run(const asio::any_io_executor& executor) : done(executor, asio::steady_timer::time_point::max()) {}

  asio::steady_timer done;  // cancelled when there is an outcome
  std::optional<Result<Identity>> outcome;
};

PluginCredentials::PluginCredentials(Plugin plugin, const Timing& timing)
    : plugin_(std::move(plugin)), timing_(timing) {
}

asio::awaitable<Result<Identity>> PluginCredentials::identity() {
  if (last_ && is_fresh(*last_)) co_return last_->identity;
  const auto self = shared_from_this();
  auto run = running_.lock();
  if (!run) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    run = std::make_shared<Run>(executor);
    running_ = run;
    asio::co_spawn(executor, perform(self, run), asio::detached);
  }
  boost::system::error_code error;
  const auto& outcome = run->outcome;
  if (!outcome) co_await run->done.async_wait(asio::redirect_error(asio::use_awaitable, error));
  if (!outcome) co_return failed("nobody waits for it any more");
  co_return *outcome;
}

// A coroutine of its own: those who wait may give up, one of them being the first.
asio::awaitable<void> PluginCredentials::perform(std::shared_ptr<PluginCredentials> self, std::shared_ptr<Run> run) {
  auto credential = co_await self->ask();
  if (credential) {
    run->outcome = credential->identity;
    self->last_ = *std::move(credential);
  } else {
    run->outcome = credential.error();
  }
  self->running_.reset();
  run->done.cancel();
}

asio::awaitable<Result<ExecCredential>> PluginCredentials::ask() const {
  CommandLimits limits;
  limits.deadline = timing_.plugin_deadline;
  const auto result = co_await run_command(plugin_.command, limits);
  if (!result) co_return failed(result.error().message + hint_for(result.error()));
  if (result->status != 0) {
    const std::string words = document::shortened(trimmed(result->err), 300);
    co_return failed("status " + std::to_string(result->status) + (words.empty() ? "" : ": " + words));
  }
  auto credential = parse_exec_credential(result->out, plugin_.api_version);
  if (!credential) co_return failed(credential.error().message);
  co_return credential;
}

bool PluginCredentials::is_fresh(const ExecCredential& credential) const {
  return !credential.expires || timing_.now() < *credential.expires;
}

std::string PluginCredentials::hint_for(const Error& error) const {
  return error.code == ENOENT && !plugin_.install_hint.empty() ? "; " + document::shortened(plugin_.install_hint, 300)
                                                               : "";
}

Error PluginCredentials::failed(const std::string& message) const {
  return {plugin_.owner + ": plugin '" + plugin_.command.argv[0] + "': " + message, 0};
}

}  // namespace fairlead::kube
