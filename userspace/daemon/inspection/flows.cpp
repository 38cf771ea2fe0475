// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection/flows.h"

#include <atomic>
#include <optional>

#include "userspace/datapath/flows.h"
#include "userspace/state/abi.h"
#include "userspace/util/endpoint.h"

namespace fairlead::daemon {
namespace {

// "10.0.0.1", "10.0.0.1:80", "2001:db8::1" or "[2001:db8::1]:80".
struct EndpointMatch {
  std::optional<Address> address;
  std::optional<std::uint16_t> port;

  bool matches(const Address& other, std::uint16_t other_port) const {
    return (!address || *address == other) && (!port || *port == other_port);
  }
};

Result<EndpointMatch> parse_match(const std::string& name, const std::string& text) {
  if (text.empty()) return EndpointMatch{};
  if (const auto address = Address::parse(text)) return EndpointMatch{address, {}};
  if (const auto endpoint = Endpoint::parse(text)) return EndpointMatch{endpoint->address, endpoint->port};
  return Error{name + ": " + text + ": not an address or address:port", EINVAL};
}

admin::FlowState state_of(const datapath::Flow& flow) {
  switch (lb_flow_timeout(flow.proto, flow.state)) {
    case LB_TIMEOUT_TCP_ESTABLISHED:
    case LB_TIMEOUT_UDP_STREAM:
      return admin::FlowState::kEstablished;
    case LB_TIMEOUT_TCP_HALF_CLOSED:
      return admin::FlowState::kClosing;
    case LB_TIMEOUT_TCP_CLOSED:
      return admin::FlowState::kClosed;
    default:
      return admin::FlowState::kNew;
  }
}

class Query {
 public:
  static Result<Query> parse(const admin::FlowFilter& filter) {
    Query query;
    query.filter_ = filter;
    for (const auto& [name, text, match] : {std::tuple{"client", &filter.client, &query.client_},
                                            {"frontend", &filter.frontend, &query.frontend_},
                                            {"backend", &filter.backend, &query.backend_}}) {
      auto parsed = parse_match(name, *text);
      if (!parsed) return parsed.error();
      *match = *parsed;
    }
    return query;
  }

  bool matches(const datapath::Flow& flow, const std::string& service) const {
    return client_.matches(flow.key.src, flow.key.sport) && frontend_.matches(flow.key.dst, flow.key.dport) &&
           backend_.matches(flow.to.dst, flow.to.dport) &&
           (!filter_.protocol || *filter_.protocol == static_cast<model::Protocol>(flow.proto)) &&
           (!filter_.state || *filter_.state == state_of(flow)) &&
           (filter_.service.empty() || service == filter_.service || service.starts_with(filter_.service + ":"));
  }

 private:
  admin::FlowFilter filter_;
  EndpointMatch client_, frontend_, backend_;
};

}  // namespace

Result<std::vector<admin::FlowView>> query_flows(const datapath::Object& object,
                                                 const std::unordered_map<std::uint32_t, std::string>& names,
                                                 const admin::FlowFilter& filter) {
  const auto query = Query::parse(filter);
  if (!query) return query.error();
  std::vector<admin::FlowView> views;
  const auto visit = [&](const datapath::Flow& flow) {
    if (flow.flags & LB_FLOW_REPLY || (filter.limit && views.size() >= filter.limit)) return;
    lb_backend& backend = object.backends[flow.backend % object.backends.size()];
    const bool gone = std::atomic_ref(backend.generation).load(std::memory_order_acquire) != flow.generation;
    const auto name = gone ? names.end() : names.find(backend.service_id);
    const std::string service = name == names.end() ? "" : name->second;
    if (!query->matches(flow, service)) return;
    views.push_back({state::protocol_name(flow.proto), service, endpoint_text(flow.key.src, flow.key.sport),
                     endpoint_text(flow.key.dst, flow.key.dport), endpoint_text(flow.to.src, flow.to.sport),
                     endpoint_text(flow.to.dst, flow.to.dport), state_of(flow), (flow.flags & LB_FLOW_LOCAL) != 0, gone,
                     flow.expires_in});
  };
  datapath::for_each_flow(object, visit);
  return views;
}

}  // namespace fairlead::daemon
