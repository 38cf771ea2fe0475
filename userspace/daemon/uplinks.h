// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "userspace/daemon/device_choice.h"
#include "userspace/daemon/options/options.h"
#include "userspace/datapath/attacher.h"
#include "userspace/host/host.h"
#include "userspace/state/tables.h"

namespace fairlead::daemon {

// A device that the programs are on.
struct Attached {
  std::string device;
  int ifindex = 0;
  datapath::XdpMode xdp = datapath::XdpMode::kOff;  // what the kernel does; never kAuto
  std::string note;                                 // why it is not what one might expect; empty otherwise
};

// The devices that the programs are on: those that are asked for, and no others. Devices may come and go and be
// renamed.
class Uplinks {
 public:
  Uplinks(const datapath::Object& object, const Options& options);

  // Attaches, and takes the programs off what an earlier daemon was on. A device that is missing is an error before
  // anything is changed, one that refuses is an error, too.
  Result<> start(const host::Host& node);
  // After devices have changed. What goes wrong is logged once, and tried again the next time.
  void follow(const host::Host& node);

  // Those that are asked for and there, the first that was asked for first.
  std::vector<int> chosen(const host::Host& node) const;
  std::map<std::string, Attached> attached(const host::Host& node) const;
  // What the programs need to send through them.
  state::Devices::Content table(const host::Host& node) const;

 private:
  void choose(const host::Host& node);
  void reconcile(const host::Host& node);
  datapath::DeviceSpec spec(const host::Device& device) const;
  std::string note(const host::Device& device) const;
  void note_failure(const datapath::Attacher::Failure& failure);
  void log_changes(const host::Host& node);
  void tell();

  const Options* options_;
  datapath::Attacher attacher_;
  DeviceChoice choice_;
  std::set<int> failed_;                // devices that have not all of the programs
  std::map<int, std::string> refused_;  // devices that would not take XDP, and why
  std::vector<std::string> problems_;   // of the last time
  std::set<std::string> told_;          // those of them that have been logged
  std::map<std::string, Attached> logged_;
};

}  // namespace fairlead::daemon
