// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "userspace/datapath/object.h"

namespace fairlead::datapath {

enum class XdpMode {
  kAuto,     // native where that is known to be right, else off
  kNative,   // in the driver, or an error
  kGeneric,  // in the kernel's receive path, before tc
  kOff,      // tc ingress does everything
};
std::optional<XdpMode> parse_xdp_mode(const std::string& text);
const char* to_string(XdpMode mode);

// What became of one device.
struct Attached {
  std::string device;
  int ifindex = 0;
  XdpMode xdp = XdpMode::kOff;  // never kAuto
  std::string note;             // why it is not what one might expect; empty otherwise
};

// Puts the programs on a device: XDP, tc ingress and tc egress. tc ingress is there in every mode: XDP leaves to it
// what it cannot finish, such as packets whose next hop the kernel has still to resolve.
//
// What an earlier daemon attached is replaced in place, without a packet passing unseen. XDP links are pinned (with a
// pin directory), tc filters stay with their qdisc, so both outlive the process. Without a pin directory an XDP program
// leaves with the Attacher.
class Attacher {
 public:
  Attacher(const Object& object, std::string pin_directory);

  Result<Attached> attach(const std::string& device, XdpMode mode);

 private:
  Result<std::string> attach_xdp(const std::string& device, int ifindex, XdpMode mode);
  Result<> attach_tc(const std::string& device, int ifindex);
  Result<> pin(const Fd& link, const std::string& path);

  const Object& object_;
  std::string links_;  // directory of pinned links; empty: links are kept here
  std::vector<Fd> held_;
};

// Takes everything off: pinned links, tc filters of ours on every device, the pinned maps, the directory. Reports what
// it could not remove and goes on; does nothing while a daemon is using the directory.
std::vector<Error> remove_all(const std::string& pin_directory);

}  // namespace fairlead::datapath
