// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "userspace/source/kind.h"
#include "userspace/source/kinds/fields.h"

namespace fairlead::source {
namespace {

using document::BadItem;
using document::Reader;
using model::Name;
using model::Node;
using model::Store;

// Of one type; the others (host names among them) are not for this list.
std::vector<Address> read_addresses(const Reader& addresses, std::string_view type) {
  return addresses.items<Address>(BadItem::kIsDropped, [&](const Reader& item) -> std::optional<Address> {
    return item["type"].text() == type ? read_address(item["address"]) : std::nullopt;
  });
}

// podCIDR repeats the first of podCIDRs, or stands alone.
std::vector<Prefix> read_pod_cidrs(const Reader& spec) {
  auto prefixes = spec["podCIDRs"].items<Prefix>(BadItem::kIsDropped, read_prefix);
  if (prefixes.empty() && !spec["podCIDR"].text().empty()) {
    if (const auto prefix = read_prefix(spec["podCIDR"])) prefixes.push_back(*prefix);
  }
  return prefixes;
}

bool has_taint(const Reader& taints, std::string_view key) {
  const auto keys = taints.items<std::string>(BadItem::kBreaksObject,
                                              [](const Reader& item) { return std::optional(item["key"].text()); });
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

Object read(const Reader& object, const Name& name) {
  auto node = std::make_shared<Node>();
  node->name = name.name;
  const Reader metadata = object["metadata"], spec = object["spec"], addresses = object["status"]["addresses"];
  node->internal_ips = read_addresses(addresses, "InternalIP");
  node->external_ips = read_addresses(addresses, "ExternalIP");
  node->pod_cidrs = read_pod_cidrs(spec);
  node->zone = metadata["labels"]["topology.kubernetes.io/zone"].text();
  node->being_deleted = !metadata["deletionTimestamp"].text().empty();
  node->to_be_deleted = has_taint(spec["taints"], "ToBeDeletedByClusterAutoscaler");
  return node;
}

}  // namespace

constinit const Kind kNode{
    .name = "Node",
    .api_version = "v1",
    .plural = "nodes",
    .has_namespace = false,
    .only_this_node = true,
    .read = read,
    .find = [](const Store& store, const Name&) { return Object(store.node()); },
    .put = [](Store& store, const Object& object) { return store.set_node(object.as<Node>()); },
    .remove = [](Store& store, const Name&) { return store.set_node(nullptr); },
};

}  // namespace fairlead::source
