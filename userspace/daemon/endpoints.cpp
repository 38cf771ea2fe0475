// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/endpoints.h"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <utility>

namespace fairlead::daemon {
namespace {

constexpr std::chrono::seconds kRetry{5};

}  // namespace

Endpoints::Endpoints(boost::asio::io_context& io, const Options& options, Handlers handlers)
    : options_(options),
      server_(io),
      control_(std::move(handlers.control)),
      health_{options.healthz_address, admin::at_once(std::move(handlers.health)), boost::asio::steady_timer(io), {}},
      metrics_{options.metrics_address, std::move(handlers.metrics), boost::asio::steady_timer(io), {}} {
}

Result<> Endpoints::listen() {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(options_.control_socket).parent_path(), ignored);
  if (auto control = server_.listen_unix(options_.control_socket, control_); !control) return control;
  if (auto health = listen(health_); !health) return health;
  return listen(metrics_);
}

Result<> Endpoints::listen(Port& port) {
  if (port.address.empty()) return {};
  auto listening = server_.listen_tcp(port.address, port.handler);
  if (listening && !std::exchange(port.told, "").empty()) spdlog::info("listening on {} now", port.address);
  if (listening || options_.bind_address_hard_fail) return listening;
  if (std::exchange(port.told, listening.error().message) != listening.error().message)
    spdlog::error("{}; trying again", port.told);
  port.retry.expires_after(kRetry);
  port.retry.async_wait([this, &port](auto error) {
    if (!error) (void)listen(port);
  });
  return {};
}

std::vector<std::string> Endpoints::problems() const {
  std::vector<std::string> all;
  for (const Port* port : {&health_, &metrics_})
    if (!port->told.empty()) all.push_back(port->told + "; who asks there has another program's answers, or none");
  return all;
}

}  // namespace fairlead::daemon
