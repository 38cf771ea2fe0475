// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <string>
#include <vector>

#include "userspace/admin/http_server.h"
#include "userspace/daemon/options/options.h"

namespace fairlead::daemon {

// Where lbd can be asked: the control socket, the health port and the metrics port.
class Endpoints {
 public:
  struct Handlers {
    admin::HttpHandler control, health;
    admin::HttpCoroutine metrics;
  };
  Endpoints(boost::asio::io_context& io, const Options& options, Handlers handlers);

  // The socket must be had. A port that cannot be had now is tried again, as kube-proxy does, unless
  // --bind-address-hard-fail. Handlers are called as soon as the io_context runs.
  Result<> listen();
  // Ports that cannot be had, each in words.
  std::vector<std::string> problems() const;

 private:
  struct Port {
    const std::string& address;  // empty: none
    admin::HttpCoroutine handler;
    boost::asio::steady_timer retry;
    std::string told;  // why it cannot be had
  };
  Result<> listen(Port& port);

  const Options& options_;
  admin::HttpServer server_;
  admin::HttpHandler control_;
  Port health_, metrics_;
};

}  // namespace fairlead::daemon
