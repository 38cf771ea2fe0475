// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/ports.h"

namespace fairlead::daemon {
namespace {

namespace http = boost::beast::http;

// Empty, which no path is, where the target is malformed.
std::string path_of(const admin::HttpRequest& request) {
  const auto target = admin::parse_target({request.target().data(), request.target().size()});
  return target ? target->path : "";
}

admin::HttpResponse not_found() {
  return admin::text_response(http::status::not_found, "404 page not found\n");
}

}  // namespace

admin::HttpResponse answer_health(const admin::Health& health, const admin::HttpRequest& request) {
  const std::string path = path_of(request);
  if (path == "/healthz") return health.healthz(admin::Health::Time::clock::now());
  if (path == "/livez") return health.livez(admin::Health::Time::clock::now());
  if (path == "/readyz") return health.readyz(admin::Health::Time::clock::now());
  return not_found();
}

boost::asio::awaitable<admin::HttpResponse> answer_metrics(const Metrics& metrics, const admin::HttpRequest& request) {
  const std::string path = path_of(request);
  if (path == "/metrics") {
    std::string text = co_await metrics.text();
    co_return admin::text_response(http::status::ok, std::move(text), "text/plain; version=0.0.4; charset=utf-8");
  }
  if (path == "/healthz") co_return admin::text_response(http::status::ok, "ok");
  if (path == "/proxyMode") co_return admin::text_response(http::status::ok, "ebpf");
  co_return not_found();
}

}  // namespace fairlead::daemon
