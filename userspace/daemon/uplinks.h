// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "userspace/daemon/device_choice.h"
#include "userspace/daemon/options/options.h"
#include "userspace/daemon/standing_problems.h"
#include "userspace/datapath/attacher.h"
#include "userspace/datapath/frames.h"
#include "userspace/host/host.h"
#include "userspace/state/tables.h"

namespace fairlead::daemon {

// A device that the programs are on.
struct Attached {
  std::string device;
  int ifindex = 0;
  datapath::XdpMode xdp = datapath::XdpMode::kOff;  // what the kernel does; never kAuto
  std::string note;                                 // why it is not what one might expect; empty otherwise

  bool operator==(const Attached&) const = default;
};

// What is sent through a device after SNAT comes from there, where nothing better is known.
using SourceOf = std::function<std::optional<Address>(const host::Device&, Family)>;

// What chooses devices where none is named, beside default routes.
struct Wanted {
  std::vector<Address> internal_ips;  // the Node's
  std::set<int> ways;                 // devices that are on the way to backends elsewhere
};

// The devices that the programs are on: those that are asked for, and no others. Devices may come and go and be
// renamed.
class Uplinks {
 public:
  Uplinks(const datapath::Object& object, const Options& options);

  // Attaches, and takes the programs off what an earlier daemon was on. An error where no program can be attached to
  // any device, and what earlier daemons attached is there as it was; that there is no device yet is a problem where
  // none is named.
  Result<> start(const host::Host& node);
  // Again: devices change, and others take off what is attached. What goes wrong is a problem until it goes well.
  // Returns whether what is attached has changed.
  bool follow(const host::Host& node, const Wanted& wanted);

  // The devices that are asked for and there, the first that was asked for first.
  const std::vector<int>& desired() const { return choice_.desired; }
  std::map<std::string, Attached> attached(const host::Host& node) const;
  // Whether programs of earlier daemons are attached yet.
  bool has_earlier_programs() const { return !attacher_.earlier().empty(); }
  // What is asked for and cannot be had, each in words.
  const std::set<std::string>& problems() const { return problems_.all(); }
  // What the programs need to send through them.
  state::Devices::Content table(const host::Host& node, const SourceOf& source_of) const;

 private:
  std::vector<datapath::Frames> frames(const host::Host& node) const;
  std::set<std::string> reconcile(const host::Host& node);
  std::set<std::string> reconcile(const std::vector<datapath::DeviceSpec>& specs);
  void log_steps(const datapath::Attacher::Outcome& outcome) const;
  datapath::DeviceSpec spec(const host::Device& device) const;
  std::string note(const host::Device& device, const datapath::Attacher::Xdp& xdp) const;
  std::string note(const host::Device& device) const;
  // Whether it is a problem.
  bool note_failure(const datapath::Failure& failure);
  bool log_changes(const host::Host& node);

  const datapath::Object* object_;
  const Options* options_;
  datapath::Attacher attacher_;
  DeviceChoice choice_;
  std::set<int> failed_;                // devices that lack a program which they cannot do without
  std::map<int, std::string> refused_;  // devices that would not take XDP, and why
  StandingProblems problems_;
  std::map<std::string, Attached> logged_;
};

}  // namespace fairlead::daemon
