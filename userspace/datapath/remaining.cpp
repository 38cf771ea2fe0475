// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/remaining.h"

#include <net/if.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "userspace/datapath/program_name.h"
#include "userspace/datapath/tcx.h"
#include "userspace/datapath/xdp_mode.h"

namespace fairlead::datapath {
namespace {

// A link ends a moment after its last pin.
constexpr std::chrono::seconds kPatience{2};
constexpr std::chrono::milliseconds kPause{50};

void look_at(std::uint32_t program, const std::string& hook, const std::string& device, std::vector<Error>& found) {
  if (!program) return;
  const auto is_ours = is_program_of_ours(program);
  const std::string what = "the " + hook + " program with the id " + std::to_string(program) + " on " + device;
  if (!is_ours)
    found.push_back({what + " stays, and may be an lbd's: to ask for its name takes CAP_SYS_ADMIN", EPERM});
  else if (*is_ours)
    found.push_back({what + " stays, and is an lbd's", EBUSY});
}

void look_at(const struct if_nameindex& device, std::vector<Error>& found) {
  const int ifindex = static_cast<int>(device.if_index);
  const auto xdp = xdp_programs(ifindex);
  if (!xdp) found.push_back(xdp.error());
  for (const std::uint32_t id : {xdp ? xdp->native : 0, xdp ? xdp->generic : 0, xdp ? xdp->offloaded : 0})
    look_at(id, "XDP", device.if_name, found);
  for (const Hook hook : {Hook::kTcIngress, Hook::kTcEgress}) {
    const auto tcx = tcx_programs(ifindex, hook);
    if (!tcx) found.push_back(tcx.error());
    if (tcx)
      for (const std::uint32_t id : *tcx)
        look_at(id, "tcx", device.if_name, found);
  }
}

std::vector<Error> look() {
  const std::unique_ptr<struct if_nameindex, decltype(&if_freenameindex)> devices(if_nameindex(), if_freenameindex);
  if (!devices) return {make_error("read", "the devices", errno)};
  std::vector<Error> found;
  for (const struct if_nameindex* device = devices.get(); device->if_index; ++device)
    look_at(*device, found);
  return found;
}

}  // namespace

std::vector<Error> remaining_programs() {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  std::vector<Error> found = look();
  while (!found.empty() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kPause);
    found = look();
  }
  return found;
}

}  // namespace fairlead::datapath
