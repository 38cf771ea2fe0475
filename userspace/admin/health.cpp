// SPDX-License-Identifier: Apache-2.0
#include "userspace/admin/health.h"

#include <algorithm>

#include "userspace/util/timestamp.h"

namespace fairlead::admin {
namespace {

namespace http = boost::beast::http;

HttpResponse answer(bool good, const boost::json::object& body) {
  HttpResponse response = text_response(good ? http::status::ok : http::status::service_unavailable,
                                        boost::json::serialize(body), "application/json");
  response.set("X-Content-Type-Options", "nosniff");
  return response;
}

HttpResponse counted(HttpResponse response, std::map<unsigned, std::uint64_t>& answers) {
  ++answers[response.result_int()];
  return response;
}

}  // namespace

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
  boost::json::object body = describe(now);
  body["nodeEligible"] = node_eligible_;
  return counted(answer(alive(now) && node_eligible_, body), healthz_answers_);
}

HttpResponse Health::livez(Time now) const {
  return counted(answer(alive(now), describe(now)), livez_answers_);
}

HttpResponse Health::readyz(Time now) const {
  boost::json::object body = describe(now);
  body["nodeEligible"] = node_eligible_;
  body["synced"] = synced_;
  return answer(alive(now) && node_eligible_ && synced_, body);
}

boost::json::object Health::describe(Time now) const {
  // As kube-proxy has it: while healthy, the state is as fresh as the answer.
  Time last = now;
  if (!alive(now))
    for (const auto& [family, clock] : clocks_)
      last = std::min(last, clock.updated);
  return {{"lastUpdated", format_timestamp(last)}, {"currentTime", format_timestamp(now)}};
}

}  // namespace fairlead::admin
