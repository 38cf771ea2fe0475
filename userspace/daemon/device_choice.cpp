// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/device_choice.h"

#include <algorithm>
#include <cerrno>

#include "userspace/datapath/attachments.h"
#include "userspace/state/delta.h"

namespace fairlead::daemon {
namespace {

using Devices = std::map<int, host::Device>;

void choose_by_name(const std::string& name, const Devices& devices, const DeviceChoice& before, DeviceChoice& choice) {
  const auto named =
      std::find_if(devices.begin(), devices.end(), [&](const auto& entry) { return entry.second.name == name; });
  if (named != devices.end()) {
    choice.ifindices[name] = named->first;
    return;
  }
  const auto earlier = before.ifindices.find(name);
  const auto renamed = earlier == before.ifindices.end() ? devices.end() : devices.find(earlier->second);
  if (renamed == devices.end()) {
    choice.problems.push_back("attach to device " + name + ": No such device");
    return;
  }
  choice.ifindices[name] = renamed->first;
  choice.problems.push_back("no device is called " + name + " any more: " + renamed->second.name +
                            ", which was, keeps its programs");
}

void add(int ifindex, const Devices& devices, DeviceChoice& choice) {
  const auto device = devices.find(ifindex);
  if (device == devices.end()) return;
  if (!device->second.ethernet)
    choice.problems.push_back("attach to device " + device->second.name + ": not an Ethernet device");
  else if (std::find(choice.desired.begin(), choice.desired.end(), ifindex) != choice.desired.end())
    return;
  else if (choice.desired.size() == state::ToDevices::kRoom)
    choice.problems.push_back("attach to device " + device->second.name + ": lbd can be on no more than " +
                              std::to_string(state::ToDevices::kRoom) + " devices");
  else
    choice.desired.push_back(ifindex);
}

std::set<int> with_one_of(const std::vector<Address>& addresses, const Devices& devices) {
  std::set<int> found;
  for (const auto& [ifindex, device] : devices)
    if (std::ranges::any_of(addresses, [&](const Address& address) {
          return std::ranges::find(device.addresses, address) != device.addresses.end();
        }))
      found.insert(ifindex);
  return found;
}

// What lbd is on already goes before ways, of which there may be more than there is room for.
void choose_by_routes(const DeviceOffer& offer, const DeviceChoice& before, DeviceChoice& choice) {
  const std::set<int> earlier(before.desired.begin(), before.desired.end());
  for (const auto& some : {offer.default_routes, with_one_of(offer.internal_ips, offer.devices), earlier, offer.ways})
    for (const int ifindex : some)
      if (const auto it = offer.devices.find(ifindex); it != offer.devices.end() && !it->second.loopback)
        add(ifindex, offer.devices, choice);
}

}  // namespace

DeviceChoice choose_devices(const std::vector<std::string>& names, const DeviceOffer& offer,
                            const DeviceChoice& before) {
  DeviceChoice choice;
  for (const std::string& name : names) {
    choose_by_name(name, offer.devices, before, choice);
    if (const auto it = choice.ifindices.find(name); it != choice.ifindices.end())
      add(it->second, offer.devices, choice);
  }
  if (!names.empty()) return choice;
  choose_by_routes(offer, before, choice);
  if (choice.desired.empty() && choice.problems.empty())
    choice.problems.emplace_back(
        "no device to attach to: no default route, no device with an InternalIP of the Node; say --devices");
  return choice;
}

DeviceChoice earlier_choice(const std::vector<std::string>& names, const std::string& pin_directory) {
  DeviceChoice choice;
  if (!names.empty()) return choice;
  const std::set<int> devices = datapath::devices_with_programs(pin_directory);
  choice.desired.assign(devices.begin(), devices.end());
  return choice;
}

Result<> check_devices(const std::vector<std::string>& names, const host::Host& node, const DeviceChoice& before) {
  const DeviceChoice choice = choose_devices(names, {node.devices(), node.default_route_devices(), {}, {}}, before);
  if (choice.desired.empty() && !names.empty()) return Error{choice.problems.front(), ENODEV};
  return {};
}

}  // namespace fairlead::daemon
