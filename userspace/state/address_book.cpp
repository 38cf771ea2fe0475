// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/address_book.h"

namespace fairlead::state {
namespace {

constexpr std::array<std::uint8_t, 3> kClasses{LB_CLASS_VIP, LB_CLASS_NODE, LB_CLASS_BACKEND};
constexpr std::uint8_t kAllClasses = LB_CLASS_VIP | LB_CLASS_NODE | LB_CLASS_BACKEND;

}  // namespace

void AddressBook::count_frontend(const lb_service_key& key, int change) {
  if (is_nodeport(key)) return;
  const lb_address_key address = address_key(key);
  std::uint32_t& holders = vips_[address];
  holders += change;
  if (!holders) vips_.erase(address);
  count_class(key.addr, key.family, LB_CLASS_VIP, change);
  update_address(address);
}

std::uint32_t AddressBook::frontends_on(const lb_address_key& address) const {
  const auto holders = vips_.find(address);
  return holders == vips_.end() ? 0 : holders->second;
}

bool AddressBook::set_node_addresses(const std::vector<NodeAddress>& addresses) {
  if (addresses == node_list_) return false;
  AbiSet<lb_address_key> changed;
  for (const NodeAddress& old : node_list_) {
    changed.insert(address_key(old.addr, old.family));
    count_class(old.addr, old.family, LB_CLASS_NODE, -1);
  }
  node_addresses_.clear();
  for (const NodeAddress& address : addresses) {
    const lb_address_key key = address_key(address.addr, address.family);
    changed.insert(key);
    node_addresses_[key] = address.nodeports;
    count_class(address.addr, address.family, LB_CLASS_NODE, +1);
  }
  node_list_ = addresses;
  for (const lb_address_key& key : changed)
    update_address(key);
  return true;
}

// An address of this node is never owned, even when a service has it too: its other ports are the host's.
void AddressBook::update_address(const lb_address_key& key) {
  const auto node = node_addresses_.find(key);
  std::uint32_t flags = 0;
  if (vips_.contains(key) && node == node_addresses_.end()) flags |= LB_ADDRESS_VIP;
  if (node != node_addresses_.end()) flags |= LB_ADDRESS_NODE | (node->second ? LB_ADDRESS_NODEPORT : 0);
  if (flags)
    desired_.tables.addresses[key] = flags;
  else
    desired_.tables.addresses.erase(key);
  desired_.touched.addresses.insert(key);
}

void AddressBook::count_class(const lb_addr& addr, std::uint8_t family, std::uint8_t class_bit, int change) {
  const std::uint32_t bucket = filter_bucket(addr, family);
  for (std::size_t i = 0; i < kClasses.size(); ++i)
    if (kClasses[i] == class_bit) classes_[bucket][i] += change;
  // A flow that is under way still comes through the filter, whatever becomes of its service.
  if (change < 0 && class_bit != LB_CLASS_NODE) lingering_[bucket] |= class_bit;
  update_filter(bucket);
}

void AddressBook::update_filter(std::uint32_t bucket) {
  std::uint8_t needed = 0;
  if (const auto counts = classes_.find(bucket); counts != classes_.end()) {
    for (std::size_t i = 0; i < kClasses.size(); ++i)
      if (counts->second[i]) needed |= kClasses[i];
    if (!needed) classes_.erase(counts);
  }
  if (const auto held = lingering_.find(bucket); held != lingering_.end()) {
    held->second &= ~needed;
    needed |= held->second;
    if (!held->second) lingering_.erase(held);
  }
  if (needed)
    desired_.tables.filter[bucket] = needed;
  else
    desired_.tables.filter.erase(bucket);
  desired_.touched.filter.insert(bucket);
}

std::vector<std::uint32_t> AddressBook::lingering() const {
  std::vector<std::uint32_t> buckets;
  buckets.reserve(lingering_.size());
  for (const auto& [bucket, classes] : lingering_)
    buckets.push_back(bucket);
  return buckets;
}

void AddressBook::release(const std::set<std::uint32_t>& buckets) {
  for (const std::uint32_t bucket : buckets) {
    lingering_.erase(bucket);
    update_filter(bucket);
  }
}

void AddressBook::adopt(std::uint32_t bucket, std::uint8_t classes) {
  lingering_[bucket] |= classes & kAllClasses;
  update_filter(bucket);
}

}  // namespace fairlead::state
