// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/commands.h"

#include <algorithm>
#include <boost/url.hpp>

#include "userspace/cli/render/render.h"
#include "userspace/util/endpoint.h"
#include "userspace/util/text.h"
#include "userspace/util/version.h"

namespace fairlead::cli {
namespace {

template <class T>
Result<T> fetch(const Context& context, const std::string& target) {
  const auto answer = context.get(target);
  if (!answer) return answer.error();
  return as<T>(*answer);
}

// Fetches a T and prints it: as lbd wrote it, or as text.
template <class T, class Render>
Result<std::string> show(const Context& context, const std::string& target, const Render& render) {
  const auto answer = context.get(target);
  if (!answer) return answer.error();
  if (context.output == Output::kJson) return boost::json::serialize(*answer) + "\n";
  const auto value = as<T>(*answer);
  if (!value) return value.error();
  return render(*value);
}

std::string target_of(const std::string& service, const std::string& suffix = "") {
  return "/v1/services/" + service + suffix;
}

std::string flows_target(const std::string& path, const Query& query) {
  boost::urls::url url(path);
  for (const auto& [name, value] : query)
    if (!value.empty()) url.params().append({name, value});
  return std::string(url.buffer());
}

// All of them, where none is named.
Result<std::vector<admin::ServiceView>> services_named(const Context& context, const std::string& service) {
  if (service.empty()) return fetch<std::vector<admin::ServiceView>>(context, "/v1/services");
  auto one = fetch<admin::ServiceView>(context, target_of(service));
  if (!one) return one.error();
  return std::vector{std::move(*one)};
}

}  // namespace

Outcome show_version(const Context& context) {
  const auto daemon = context.get("/v1/version");
  const auto failed = daemon ? std::nullopt : std::optional(daemon.error());
  if (context.output == Output::kJson) {
    const boost::json::object both{{"lbctl", version()}, {"lbd", daemon ? *daemon : boost::json::value()}};
    return {boost::json::serialize(both) + "\n", failed};
  }
  const std::string text = std::string("lbctl ") + version() + "\n";
  if (failed) return {text, failed};
  const auto view = as<admin::VersionView>(*daemon);
  if (!view) return {text, view.error()};
  return {text + "lbd   " + view->version + "\n", std::nullopt};
}

std::string check_service(const std::string& service) {
  const auto parts = split(service, '/');
  const bool is_name = parts.size() == 2 && !parts[0].empty() && !parts[1].empty();
  return is_name ? "" : service + ": must be of the form NAMESPACE/NAME";
}

std::string check_flow_service(const std::string& service) {
  const bool is_service = check_service(service.substr(0, service.find(':'))).empty();
  return is_service ? "" : service + ": must be of the form NAMESPACE/NAME[:PORT/PROTO/FAMILY]";
}

std::string check_endpoint(const std::string& endpoint) {
  const bool is_endpoint = Address::parse(endpoint) || Endpoint::parse(endpoint);
  return is_endpoint ? "" : endpoint + ": must be of the form ADDRESS[:PORT]";
}

Result<std::string> show_status(const Context& context) {
  return show<admin::StatusView>(context, "/v1/status", render_status);
}

Result<std::string> list_problems(const Context& context) {
  return show<std::vector<admin::ProblemView>>(context, "/v1/problems", render_problems);
}

Result<std::string> list_services(const Context& context) {
  return show<std::vector<admin::ServiceView>>(context, "/v1/services", render_services);
}

Result<std::string> show_service(const Context& context, const std::string& service) {
  return show<admin::ServiceView>(context, target_of(service), render_service);
}

Result<std::string> list_backends(const Context& context, const std::string& service) {
  const auto services = services_named(context, service);
  if (!services) return services.error();
  if (context.output == Output::kTable) return render_backends(*services);
  boost::json::array list;
  for (const admin::ServiceView& one : *services)
    for (const admin::ServicePortView& port : one.ports)
      for (const admin::BackendView& backend : port.backends) {
        boost::json::object object = boost::json::value_from(backend).as_object();
        object["service"] = port.id;
        list.push_back(std::move(object));
      }
  return boost::json::serialize(list) + "\n";
}

Result<std::string> list_flows(const Context& context, Query query, std::uint64_t limit) {
  const bool filtered = std::ranges::any_of(query, [](const auto& one) { return !one.second.empty(); });
  // One more than is shown tells whether there are more.
  if (limit) query.emplace_back("limit", std::to_string(limit + 1));
  auto flows = fetch<std::vector<admin::FlowView>>(context, flows_target("/v1/flows", query));
  if (!flows) return flows.error();
  const bool more = limit && flows->size() > limit;
  if (more) flows->resize(limit);
  if (context.output == Output::kJson) return boost::json::serialize(boost::json::value_from(*flows)) + "\n";
  if (flows->empty() && filtered) return Error{"no flow matches", ENOENT};
  return render_flows(*flows) + (more ? "more than " + std::to_string(limit) + " match; --limit 0 lists all\n" : "");
}

Result<std::string> count_flows(const Context& context, const Query& query) {
  return show<admin::CountView>(context, flows_target("/v1/flows/count", query),
                                [](const admin::CountView& count) { return std::to_string(count.count) + "\n"; });
}

Result<std::string> show_rings(const Context& context, const std::string& service) {
  return show<std::vector<admin::RingView>>(context, target_of(service, "/rings"), render_rings);
}

Result<std::string> list_verdicts(const Context& context, bool nonzero) {
  return show<std::vector<admin::HookView>>(context, "/v1/verdicts",
                                            [&](const auto& hooks) { return render_verdicts(hooks, nonzero); });
}

std::vector<std::string> service_names(const Context& context) {
  std::vector<std::string> names;
  if (const auto services = services_named(context, ""))
    for (const admin::ServiceView& service : *services)
      names.push_back(service.space + "/" + service.name);
  return names;
}

}  // namespace fairlead::cli
