// SPDX-License-Identifier: Apache-2.0
#include "userspace/admin/health.h"

#include <algorithm>
#include <boost/json.hpp>

#include "userspace/util/timestamp.h"

namespace fairlead::admin {

void Health::queued(Family family, Time now) {
  Clock& clock = clocks_[family];
  if (!clock.oldest_queued) clock.oldest_queued = now;
}

void Health::updated(Family family, Time now) {
  clocks_[family].oldest_queued.reset();
  clocks_[family].updated = now;
}

bool Health::alive(Time now) const {
  return std::none_of(clocks_.begin(), clocks_.end(), [&](const auto& entry) {
    return entry.second.oldest_queued && now - *entry.second.oldest_queued >= timeout_;
  });
}

HttpResponse Health::healthz(Time now) const {
  return answer(now, alive(now) && node_eligible_, true, healthz_answers_);
}

HttpResponse Health::livez(Time now) const {
  return answer(now, alive(now), false, livez_answers_);
}

HttpResponse Health::answer(Time now, bool healthy, bool with_node, std::map<unsigned, std::uint64_t>& answers) const {
  // As kube-proxy has it: while healthy, the state is as fresh as the answer.
  Time last = now;
  if (!alive(now))
    for (const auto& [family, clock] : clocks_)
      last = std::min(last, clock.updated);
  boost::json::object body{{"lastUpdated", format_timestamp(last)}, {"currentTime", format_timestamp(now)}};
  if (with_node) body["nodeEligible"] = node_eligible_;
  const auto status = healthy ? boost::beast::http::status::ok : boost::beast::http::status::service_unavailable;
  ++answers[static_cast<unsigned>(status)];
  HttpResponse response = text_response(status, boost::json::serialize(body), "application/json");
  response.set("X-Content-Type-Options", "nosniff");
  return response;
}

}  // namespace fairlead::admin
