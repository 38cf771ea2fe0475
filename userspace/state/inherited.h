// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "userspace/state/placed_port.h"
#include "userspace/state/port_spec.h"

namespace fairlead::state {

// What an earlier daemon left of service ports, for those of which it is not known yet whether all that they are made
// of has been read. An endpoint that nobody has told of may be in what could not be read: it keeps its flows, and where
// none is known that could take new ones, who took them goes on to.
class Inherited {
 public:
  Inherited() = default;
  // Of the tables as they were adopted, in which every ring and member is there.
  explicit Inherited(const Tables& adopted);

  // The spec with what it may lack. Whether that was anything.
  bool add_to(PortSpec& spec) const;

 private:
  struct Pool {
    std::vector<lb_service_key> members;
    Ring ring;
  };
  struct Port {
    std::vector<BackendSpec> backends;
    AbiMap<lb_service_key, Pool> pools;  // by frontend; those that have members
  };
  using Places = AbiMap<lb_service_key, std::uint32_t>;  // of a spec's backends

  void take_backends(const Tables& adopted);
  void take_pools(const Tables& adopted);
  static Places places_of(const PortSpec& spec);
  static bool add_backends(const Port& port, PortSpec& spec, Places& places);
  static bool add_pool(const Pool& pool, const Places& places, PortSpec& spec, FrontendSpec& frontend);

  std::unordered_map<std::string, Port> ports_;
};

}  // namespace fairlead::state
