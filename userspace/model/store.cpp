// SPDX-License-Identifier: Apache-2.0
#include "userspace/model/store.h"

namespace fairlead::model {

bool Store::put(std::shared_ptr<const Service> service) {
  auto& slot = services_[service->name];
  if (slot && *slot == *service) return false;
  changed_.services.insert(service->name);
  ++changed_.service_writes;
  slot = std::move(service);
  return true;
}

bool Store::put(std::shared_ptr<const EndpointSlice> slice) {
  const auto old = slices_.find(slice->name);
  if (old != slices_.end() && *old->second == *slice) return false;
  detach(slice->name);
  changed_.services.insert(slice->service);
  ++changed_.slice_writes;
  if (const auto& time = slice->last_change_trigger_time) changed_.triggers.emplace_back(slice->family, *time);
  by_service_[slice->service][slice->name] = slice;
  slices_[slice->name] = std::move(slice);
  return true;
}

bool Store::set_node(std::shared_ptr<const Node> node) {
  if (node_ == node || (node_ && node && *node_ == *node)) return false;
  node_ = std::move(node);
  changed_.node = true;
  return true;
}

bool Store::remove_service(const Name& name) {
  if (!services_.erase(name)) return false;
  changed_.services.insert(name);
  ++changed_.service_writes;
  return true;
}

bool Store::remove_slice(const Name& name) {
  if (!detach(name)) return false;
  slices_.erase(name);
  ++changed_.slice_writes;
  return true;
}

// A slice may move to another service: the one that loses it has changed too.
bool Store::detach(const Name& slice) {
  const auto it = slices_.find(slice);
  if (it == slices_.end()) return false;
  const Name service = it->second->service;
  changed_.services.insert(service);
  const auto owned = by_service_.find(service);
  owned->second.erase(slice);
  if (owned->second.empty()) by_service_.erase(owned);
  return true;
}

const Service* Store::service(const Name& name) const {
  const auto it = services_.find(name);
  return it == services_.end() ? nullptr : it->second.get();
}

const Store::Slices& Store::slices_of(const Name& service) const {
  static const Slices kNone;
  const auto it = by_service_.find(service);
  return it == by_service_.end() ? kNone : it->second;
}

}  // namespace fairlead::model
