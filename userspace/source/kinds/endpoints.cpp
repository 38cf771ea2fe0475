// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "userspace/source/kind.h"
#include "userspace/source/kinds/fields.h"

// Endpoints, which say what EndpointSlices do for Services of few endpoints. In a cluster a controller mirrors them as
// slices; in a directory of manifests they are read as these.
namespace fairlead::source {
namespace {

using document::BadItem;
using document::Reader;
using model::Endpoint;
using model::EndpointPort;
using model::EndpointSlice;
using model::Name;
using model::Store;

struct Slices {
  Name of;
  std::vector<EndpointSlice> all;
  bool operator==(const Slices&) const = default;
};

// No EndpointSlice is named so.
std::string prefix_of(const Name& name) {
  return "Endpoints " + name.name + "/";
}

std::optional<EndpointPort> read_port(const Reader& item) {
  EndpointPort port;
  port.name = item["name"].text();
  port.protocol = read_protocol(item["protocol"]);
  port.port = static_cast<std::uint16_t>(item["port"].required().number(1, 65535));
  return port;
}

std::vector<Endpoint> read_addresses(const Reader& addresses, bool ready) {
  return addresses.items<Endpoint>(BadItem::kIsDropped, [&](const Reader& item) -> std::optional<Endpoint> {
    const auto address = read_global_address(item["ip"].required());
    if (!address) return std::nullopt;
    Endpoint endpoint;
    endpoint.address = *address;
    endpoint.ready = endpoint.serving = ready;
    endpoint.node_name = item["nodeName"].text();
    return endpoint;
  });
}

// A subset has endpoints of either family, a slice of one.
std::optional<bool> read_subset(const Reader& subset, const Name& name, Slices& slices) {
  const auto ports = subset["ports"].items<EndpointPort>(BadItem::kIsDroppedBesideGoodOnes, read_port);
  std::vector<Endpoint> endpoints = read_addresses(subset["addresses"], true);
  for (Endpoint& endpoint : read_addresses(subset["notReadyAddresses"], false))
    endpoints.push_back(std::move(endpoint));
  for (const Family family : {Family::IPv4, Family::IPv6}) {
    EndpointSlice slice;
    slice.name = {name.space, prefix_of(name) + std::to_string(slices.all.size())};
    slice.service = name;
    slice.family = family;
    slice.ports = ports;
    for (const Endpoint& endpoint : endpoints)
      if (endpoint.address.family == family) slice.endpoints.push_back(endpoint);
    slices.all.push_back(std::move(slice));
  }
  return true;
}

Object read(const Reader& object, const Name& name) {
  auto slices = std::make_shared<Slices>();
  slices->of = name;
  object["subsets"].items<bool>(BadItem::kBreaksObject,
                                [&](const Reader& subset) { return read_subset(subset, name, *slices); });
  return slices;
}

// Those that the store has of it.
std::set<Name> stored(const Store& store, const Name& name) {
  std::set<Name> names;
  for (const auto& [slice, value] : store.slices_of(name))
    if (slice.name.starts_with(prefix_of(name))) names.insert(slice);
  return names;
}

bool remove(Store& store, const std::set<Name>& slices) {
  bool changed = false;
  for (const Name& slice : slices)
    changed |= store.remove_slice(slice);
  return changed;
}

bool put(Store& store, const Object& object) {
  const auto slices = object.as<Slices>();
  std::set<Name> gone = stored(store, slices->of);
  bool changed = false;
  for (const EndpointSlice& slice : slices->all) {
    gone.erase(slice.name);
    changed |= store.put(std::make_shared<const EndpointSlice>(slice));
  }
  return remove(store, gone) || changed;
}

}  // namespace

constinit const Kind kEndpoints{
    .name = "Endpoints",
    .api_version = "v1",
    .plural = "endpoints",
    .only_in_files = true,
    .read = read,
    .service_of = [](const Reader&, const Name& name) { return name.name; },
    .find = [](const Store&, const Name&) { return Object(); },
    .put = put,
    .remove = [](Store& store, const Name& name) { return remove(store, stored(store, name)); },
};

}  // namespace fairlead::source
