// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/kind.h"
#include "userspace/source/kinds/fields.h"

namespace fairlead::source {
namespace {

using document::BadItem;
using document::Reader;
using model::Endpoint;
using model::EndpointPort;
using model::EndpointSlice;
using model::Name;
using model::Store;

enum class AddressType { kNone, kIpv4, kIpv6, kFqdn };

AddressType read_address_type(const Reader& reader) {
  static const Reader::Names<AddressType> kNames{
      {"IPv4", AddressType::kIpv4}, {"IPv6", AddressType::kIpv6}, {"FQDN", AddressType::kFqdn}};
  return reader.required().choice(kNames, AddressType::kNone);
}

// The API server names a port that has no name "", and so it matches a service's unnamed port.
std::optional<EndpointPort> read_port(const Reader& item) {
  EndpointPort port;
  port.name = item["name"].text();
  port.protocol = read_protocol(item["protocol"]);
  port.port = static_cast<std::uint16_t>(item["port"].number(1, 65535, 0));
  return port;
}

// Kubernetes gives a meaning to an endpoint's first address only.
std::optional<Address> read_first_address(const Reader& addresses, Family family) {
  bool first = true;
  const auto all =
      addresses.required().items<Address>(BadItem::kBreaksObject, [&](const Reader& item) -> std::optional<Address> {
        if (!std::exchange(first, false)) {
          item.remark("is not used: only the first address of an endpoint counts");
          return std::nullopt;
        }
        const auto address = read_global_address(item.required());
        if (address && address->family != family) item.complain("is not of the slice's addressType");
        return address;
      });
  return all.empty() ? std::nullopt : std::optional(all.front());
}

std::vector<std::string> read_hints(const Reader& hints) {
  return hints.items<std::string>(BadItem::kBreaksObject,
                                  [](const Reader& item) { return std::optional(item["name"].text()); });
}

std::optional<Endpoint> read_endpoint(const Reader& item, Family family) {
  const auto address = read_first_address(item["addresses"], family);
  if (!address) return std::nullopt;
  Endpoint endpoint;
  endpoint.address = *address;
  const Reader conditions = item["conditions"];
  endpoint.ready = conditions["ready"].boolean(true);
  endpoint.serving = conditions["serving"].boolean(true);
  endpoint.terminating = conditions["terminating"].boolean(false);
  endpoint.node_name = item["nodeName"].text();
  endpoint.zone = item["zone"].text();
  endpoint.hint_zones = read_hints(item["hints"]["forZones"]);
  endpoint.hint_nodes = read_hints(item["hints"]["forNodes"]);
  return endpoint;
}

std::string read_service_name(const Reader& object) {
  return object["metadata"]["labels"]["kubernetes.io/service-name"].text();
}

Object read(const Reader& object, const Name& name) {
  const AddressType type = read_address_type(object["addressType"]);
  const Reader metadata = object["metadata"];
  const std::string service = read_service_name(object);
  // Of names, or somebody's own: no proxy uses it.
  if (type == AddressType::kFqdn || service.empty()) return {};
  auto slice = std::make_shared<EndpointSlice>();
  slice->family = type == AddressType::kIpv6 ? Family::IPv6 : Family::IPv4;
  slice->service = {name.space, service};
  slice->name = name;
  slice->headless = !metadata["labels"]["service.kubernetes.io/headless"].absent();
  slice->last_change_trigger_time =
      read_time(metadata["annotations"]["endpoints.kubernetes.io/last-change-trigger-time"]);
  slice->ports = object["ports"].items<EndpointPort>(BadItem::kIsDroppedBesideGoodOnes, read_port);
  if (type == AddressType::kNone) return slice;  // without a family each address would be complained of
  slice->endpoints = object["endpoints"].items<Endpoint>(
      BadItem::kIsDropped, [&](const Reader& item) { return read_endpoint(item, slice->family); });
  return slice;
}

}  // namespace

constinit const Kind kEndpointSlice{
    .name = "EndpointSlice",
    .api_version = "discovery.k8s.io/v1",
    .plural = "endpointslices",
    .label_selector = "!service.kubernetes.io/headless",
    .read = read,
    .service_of = [](const Reader& object, const Name&) { return read_service_name(object); },
    .find = [](const Store& store, const Name& name) { return find_in(store.slices(), name); },
    .put = [](Store& store, const Object& object) { return store.put(object.as<EndpointSlice>()); },
    .remove = [](Store& store, const Name& name) { return store.remove_slice(name); },
};

}  // namespace fairlead::source
