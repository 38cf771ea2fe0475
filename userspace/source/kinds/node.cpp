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

// Other addresses are names, or somebody else's to answer for.
std::vector<Address> read_internal_ips(const Reader& addresses) {
  return addresses.items<Address>(BadItem::kIsDropped, [&](const Reader& item) -> std::optional<Address> {
    return item["type"].text() == "InternalIP" ? read_address(item["address"]) : std::nullopt;
  });
}

bool has_taint(const Reader& taints, std::string_view key) {
  const auto keys = taints.items<std::string>(BadItem::kBreaksObject,
                                              [](const Reader& item) { return std::optional(item["key"].text()); });
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

Object read(const Reader& object, const Name& name) {
  auto node = std::make_shared<Node>();
  node->name = name.name;
  const Reader metadata = object["metadata"];
  node->internal_ips = read_internal_ips(object["status"]["addresses"]);
  node->zone = metadata["labels"]["topology.kubernetes.io/zone"].text();
  node->being_deleted = !metadata["deletionTimestamp"].text().empty();
  node->to_be_deleted = has_taint(object["spec"]["taints"], "ToBeDeletedByClusterAutoscaler");
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
