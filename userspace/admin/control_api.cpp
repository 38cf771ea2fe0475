// SPDX-License-Identifier: Apache-2.0
#include "userspace/admin/control_api.h"

#include <boost/json.hpp>
#include <vector>

#include "userspace/util/text.h"
#include "userspace/util/utf8.h"

namespace fairlead::admin {
namespace {

namespace http = boost::beast::http;

template <class T>
HttpResponse json_response(const T& value, http::status status = http::status::ok) {
  const std::string json = as_utf8(boost::json::serialize(boost::json::value_from(value)));
  return text_response(status, json + "\n", "application/json");
}

HttpResponse error_response(http::status status, const std::string& message) {
  return json_response(ErrorView{message}, status);
}

template <class T>
HttpResponse answer(const Result<T>& result) {
  if (result) return json_response(*result);
  return error_response(result.error().code == ENOENT ? http::status::not_found : http::status::bad_request,
                        result.error().message);
}

std::optional<model::Protocol> protocol_of(const std::string& text) {
  for (const model::Protocol protocol : {model::Protocol::kTcp, model::Protocol::kUdp})
    if (text == model::to_string(protocol)) return protocol;
  return std::nullopt;
}

// Null for a parameter that is no text.
std::string* text_parameter(FlowFilter& filter, const std::string& name) {
  if (name == "service") return &filter.service;
  if (name == "client") return &filter.client;
  if (name == "frontend") return &filter.frontend;
  return name == "backend" ? &filter.backend : nullptr;
}

Result<> set_parameter(FlowFilter& filter, const std::string& name, const std::string& value) {
  if (std::string* text = text_parameter(filter, name)) {
    *text = value;
  } else if (name == "protocol") {
    filter.protocol = protocol_of(value);
    if (!filter.protocol) return Error{"protocol: " + value + ": neither TCP nor UDP", EINVAL};
  } else if (name == "state") {
    filter.state = from_word<FlowState>(value);
    if (!filter.state) return Error{"state: " + value + ": no state of a flow", EINVAL};
  } else if (name == "limit") {
    const auto limit = to_number<std::uint64_t>(value);
    if (!limit) return Error{"limit: " + value + ": not a number", EINVAL};
    filter.limit = *limit;
  } else {
    return Error{"unknown parameter " + name, EINVAL};
  }
  return {};
}

Result<FlowFilter> flow_filter(const Target& target) {
  FlowFilter filter;
  for (const auto& [name, value] : target.query)
    if (auto set = set_parameter(filter, name, value); !set) return set.error();
  return filter;
}

HttpResponse flows(const Inspector& inspector, const Target& target, bool count) {
  const auto filter = flow_filter(target);
  if (!filter) return error_response(http::status::bad_request, filter.error().message);
  const auto found = inspector.flows(*filter);
  if (found && count) return json_response(CountView{found->size()});
  return answer(found);
}

HttpResponse route(const Inspector& inspector, const Target& target) {
  const std::vector<std::string> parts = split(std::string_view(target.path).substr(1), '/');
  const auto is = [&](std::initializer_list<const char*> expected) {
    return std::equal(parts.begin(), parts.end(), expected.begin(), expected.end());
  };
  if (is({"v1", "version"})) return json_response(inspector.version());
  if (is({"v1", "status"})) return json_response(inspector.status());
  if (is({"v1", "problems"})) return json_response(inspector.problems());
  if (is({"v1", "services"})) return json_response(inspector.services());
  if (is({"v1", "verdicts"})) return json_response(inspector.verdicts());
  if (is({"v1", "flows"})) return flows(inspector, target, false);
  if (is({"v1", "flows", "count"})) return flows(inspector, target, true);
  const bool service = parts.size() >= 4 && parts[0] == "v1" && parts[1] == "services";
  if (service && parts.size() == 4) return answer(inspector.service(parts[2], parts[3]));
  if (service && parts.size() == 5 && parts[4] == "rings") return answer(inspector.rings(parts[2], parts[3]));
  return error_response(http::status::not_found, target.path + ": no such resource");
}

}  // namespace

HttpResponse answer_control(const Inspector& inspector, const HttpRequest& request) {
  if (request.method() != http::verb::get)
    return error_response(http::status::method_not_allowed,
                          std::string(request.method_string()) + ": only GET is allowed");
  const auto target = parse_target({request.target().data(), request.target().size()});
  if (!target) return error_response(http::status::bad_request, target.error().message);
  return route(inspector, *target);
}

}  // namespace fairlead::admin
