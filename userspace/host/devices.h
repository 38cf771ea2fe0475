// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "userspace/util/address.h"

struct nlmsghdr;

namespace fairlead::host {

// One network device of this host (of this network namespace).
struct Device {
  int ifindex = 0;
  std::string name;
  std::string kind;  // "veth", "vlan", ...; physical ones have none
  bool ethernet = false;
  bool loopback = false;
  bool up = false;
  int parent = 0;             // VLAN devices: ifindex of the device below
  std::uint16_t vlan_id = 0;  // VLAN devices: their tag; 0 for those of a provider's VLAN (802.1ad)
  std::array<std::uint8_t, 6> mac{};
  std::vector<Address> addresses;  // usable ones, the kernel's preferred source first of each family

  bool operator==(const Device&) const = default;
};

// The first of the family that others can reach; null where there is none.
const Address* preferred_address(const std::vector<Address>& addresses, Family family);

// The devices that rtnetlink has told of, with their addresses.
class Devices {
 public:
  // Messages of the kernel; true: a device or its addresses are not what they were.
  bool handle_link(const nlmsghdr* message);
  bool handle_address(const nlmsghdr* message);

  const std::map<int, Device>& all() const { return devices_; }
  // Of all devices, loopback's and link-local ones left out.
  std::set<Address> addresses() const;

 private:
  struct AddressState {
    Address address;
    bool last = false;  // the kernel prefers others as a source
    bool operator==(const AddressState&) const = default;
  };

  bool add_address(int ifindex, const AddressState& state);
  bool remove_address(int ifindex, const Address& address);
  // Null where no link has been told of.
  std::vector<Address>* addresses_of(int ifindex);

  std::map<int, Device> devices_;
  std::map<int, std::vector<AddressState>> addresses_;  // in the order of those in devices_
};

}  // namespace fairlead::host
