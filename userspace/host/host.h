// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "userspace/util/address.h"
#include "userspace/util/fd.h"
#include "userspace/util/result.h"

struct mnl_socket;
struct nlmsghdr;

namespace fairlead::host {

// One network device of this host (of this network namespace).
struct Device {
  int ifindex = 0;
  std::string name;
  std::string kind;  // "veth", "vlan", ...; physical ones have none
  bool ethernet = false;
  bool up = false;
  int parent = 0;                  // VLAN devices: ifindex of the device below
  std::uint16_t vlan_id = 0;       // VLAN devices: their tag
  std::vector<Address> addresses;  // usable ones, the kernel's preferred source first of each family

  bool operator==(const Device&) const = default;
};

// The first of the family that others can reach; null where there is none.
const Address* preferred_address(const std::vector<Address>& addresses, Family family);

// What the kernel says about devices, addresses, routes and neighbours, kept current by rtnetlink notifications. Not
// thread safe.
class Host {
 public:
  // Subscribes, then reads the present state, so that nothing is missed in between.
  static Result<Host> open();
  Host(Host&&) noexcept;
  Host& operator=(Host&&) noexcept;
  ~Host();

  // Readable when there is something to read.
  int fd() const;

  struct Changes {
    bool devices = false;  // devices or addresses
    bool routes = false;   // what next hops were computed from
  };
  // Reads all pending notifications. After an overflow everything is read anew and counts as changed.
  Result<Changes> read();

  const std::map<int, Device>& devices() const { return devices_; }
  // Those that a default route of the main table leaves through.
  const std::set<int>& default_route_devices() const { return default_routes_; }
  // Of all devices, loopback's and link-local ones left out.
  std::set<Address> addresses() const;

  // Has the kernel confirm neighbours of these devices that it has not heard of for a while. Packets that XDP forwards
  // do not pass the kernel's neighbour code, which would otherwise never notice that one has gone or changed its MAC
  // address.
  void confirm_neighbours(const std::set<int>& ifindices) const;

 private:
  struct AddressState {
    Address address;
    bool secondary = false;
    bool operator==(const AddressState&) const = default;
  };
  struct Neighbour {
    std::array<std::uint8_t, 6> mac{};
    bool stale = false;
    bool operator==(const Neighbour&) const = default;
  };

  Host() = default;
  Result<> dump();
  void handle(const nlmsghdr* message, Changes& changes);
  bool handle_link(const nlmsghdr* message);
  bool handle_address(const nlmsghdr* message);
  void handle_route(const nlmsghdr* message);
  bool handle_neighbour(const nlmsghdr* message);
  void collect_addresses(int ifindex);

  mnl_socket* notifications_ = nullptr;
  std::map<int, Device> devices_;
  std::map<int, std::vector<AddressState>> addresses_;
  std::map<std::pair<int, Address>, Neighbour> neighbours_;
  std::set<int> default_routes_;  // devices; only ever added to between two dumps
};

}  // namespace fairlead::host
