// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/maps.h"

#include "userspace/datapath/tables_io.h"

namespace fairlead::daemon {
namespace {

state::Limits limits_of(const datapath::Sizes& sizes) {
  return {sizes.frontends, sizes.addresses, sizes.service_ports, sizes.backends, sizes.ring_slots, sizes.members};
}

}  // namespace

Sync::Maps maps_of(datapath::Object& object, Prepare prepare) {
  Sync::Maps maps;
  maps.limits = limits_of(object.sizes());
  maps.first_generation = object.clock[0].next_generation;
  if (object.adopted()) maps.adopted = datapath::read_back(object);
  maps.write = [&object, prepare = std::move(prepare)](const state::Operation& operation) {
    prepare(operation);
    return datapath::write(object, operation);
  };
  return maps;
}

}  // namespace fairlead::daemon
