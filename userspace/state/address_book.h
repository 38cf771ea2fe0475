// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <set>
#include <unordered_map>
#include <vector>

#include "userspace/state/desired.h"
#include "userspace/state/port_spec.h"

namespace fairlead::state {

// Which addresses this node answers for, and which buckets of the filter are open: counts what needs each of them.
class AddressBook {
 public:
  explicit AddressBook(Desired& desired) : desired_(desired) {}

  void add_frontend(const lb_service_key& key) { count_frontend(key, +1); }
  void remove_frontend(const lb_service_key& key) { count_frontend(key, -1); }
  // Replies of backends on this node are looked for where they leave.
  void add_local(const lb_backend& backend) { count_class(backend.addr, backend.family, LB_CLASS_BACKEND, +1); }
  void remove_local(const lb_backend& backend) { count_class(backend.addr, backend.family, LB_CLASS_BACKEND, -1); }
  std::uint32_t frontends_on(const lb_address_key& address) const;
  // Whether they are others than before.
  bool set_node_addresses(const std::vector<NodeAddress>& addresses);

  // Buckets that stay open only because flows may still need them. release() closes those that none needs.
  std::vector<std::uint32_t> lingering() const;
  void release(const std::set<std::uint32_t>& buckets);
  // As an earlier daemon left it.
  void adopt(std::uint32_t bucket, std::uint8_t classes);

 private:
  // Counts what needs a bucket's classes: one for each bit of LB_CLASS_*.
  using ClassCounts = std::array<std::uint32_t, 3>;

  void count_frontend(const lb_service_key& key, int change);
  void count_class(const lb_addr& addr, std::uint8_t family, std::uint8_t class_bit, int change);
  void update_filter(std::uint32_t bucket);
  void update_address(const lb_address_key& key);

  Desired& desired_;
  AbiMap<lb_address_key, std::uint32_t> vips_;  // frontends on the address
  AbiMap<lb_address_key, bool> node_addresses_;
  std::vector<NodeAddress> node_list_;
  std::unordered_map<std::uint32_t, ClassCounts> classes_;
  std::unordered_map<std::uint32_t, std::uint8_t> lingering_;
};

}  // namespace fairlead::state
