// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/admin/health.h"
#include "userspace/daemon/metrics.h"

namespace fairlead::daemon {

// What the health port and the metrics port answer: kube-proxy's paths, and /readyz.
admin::HttpResponse answer_health(const admin::Health& health, const admin::HttpRequest& request);
boost::asio::awaitable<admin::HttpResponse> answer_metrics(const Metrics& metrics, const admin::HttpRequest& request);

}  // namespace fairlead::daemon
