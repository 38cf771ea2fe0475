// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "userspace/source/kinds.h"

namespace fairlead::source {
namespace {

using document::BadItem;
using document::Reader;

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

}  // namespace

std::shared_ptr<const model::Node> read_node(const Reader& object, model::Name name) {
  auto node = std::make_shared<model::Node>();
  node->name = std::move(name.name);
  const Reader metadata = object["metadata"], spec = object["spec"], addresses = object["status"]["addresses"];
  node->internal_ips = read_addresses(addresses, "InternalIP");
  node->external_ips = read_addresses(addresses, "ExternalIP");
  node->pod_cidrs = read_pod_cidrs(spec);
  node->zone = metadata["labels"]["topology.kubernetes.io/zone"].text();
  node->being_deleted = !metadata["deletionTimestamp"].text().empty();
  node->to_be_deleted = has_taint(spec["taints"], "ToBeDeletedByClusterAutoscaler");
  return node;
}

}  // namespace fairlead::source
