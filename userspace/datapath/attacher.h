// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "userspace/datapath/attachments.h"
#include "userspace/datapath/carry_out.h"
#include "userspace/datapath/object.h"
#include "userspace/datapath/xdp_mode.h"

namespace fairlead::datapath {

// A device that the programs belong on, and how XDP.
struct DeviceSpec {
  int ifindex = 0;
  XdpMode xdp = XdpMode::kOff;  // never kAuto
};

// Puts the programs on devices, and takes them off all others: XDP, tc ingress and tc egress. tc ingress is there in
// every mode: XDP leaves to it what it cannot finish, such as packets whose next hop the kernel has still to resolve.
//
// A device that had none of tc's has both or nothing: with one of them packets would go one way and no answers back.
//
// What an earlier daemon attached is replaced in place, without a packet passing unseen, and stays where it cannot be
// replaced. With a pin directory all of it outlives the process.
class Attacher {
 public:
  Attacher(const Object& object, const std::string& pin_directory);

  struct Outcome {
    std::vector<Step> done;
    std::vector<Failure> failed;
    std::vector<Failure> anew;           // attached anew, because it could not be replaced where it was
    std::vector<Error> unknown;          // what could not be looked at or removed, and so is left alone
    std::vector<Attachment> lost;        // was there the last time, and has been attached again
    std::vector<std::string> preceding;  // programs of others that run before ours, in words
  };
  // Goes on with other devices after a step that fails. An error: it cannot be told what there is.
  Result<Outcome> reconcile(const std::vector<DeviceSpec>& devices);

  // What the kernel does with our XDP program on the device, and the id of one that is there in its stead, which may be
  // an earlier daemon's; as of the last time that it could be asked.
  struct Xdp {
    XdpMode mode = XdpMode::kOff;
    std::uint32_t other = 0;
    bool is_earlier = false;
  };
  Xdp xdp(int ifindex) const;
  // Whether any device has a program that it is desired to have, as of the last time.
  bool is_anywhere() const { return !in_place_.empty(); }
  // The programs of earlier daemons that are still attached as of the last time, in words: they forward by the maps of
  // their build.
  std::set<std::string> earlier() const;

 private:
  struct Program {
    int fd;
    std::uint32_t id;
  };
  const Program& program(Hook hook) const { return programs_.at(hook); }
  std::vector<Attachment> desired(const std::vector<DeviceSpec>& devices) const;
  Result<> ask_for_xdp(const std::vector<DeviceSpec>& devices);
  void refuse(const Actual& actual, std::vector<Attachment>& desired, Outcome& outcome) const;
  void finish(const std::vector<DeviceSpec>& devices, const Actual& actual, std::vector<Attachment> in_place,
              Outcome& outcome);
  void note_earlier(const Actual& actual, const CarriedOut& out);
  void undo(const std::set<int>& devices, const Actual& before, Outcome& outcome);
  static void remove_unused(const std::set<int>& qdiscs, const std::vector<Attachment>& in_place, Outcome& outcome);
  static void look_before(const Actual& actual, const std::vector<Attachment>& in_place, Outcome& outcome);
  Result<> take(const Step& step);

  std::map<Hook, Program> programs_;
  Means tc_;
  Attachments attachments_;
  std::vector<Attachment> in_place_;          // of what was desired the last time
  std::map<int, Xdp> xdp_;                    // by ifindex
  std::set<std::uint32_t> earlier_programs_;  // ids of all that were found
  std::set<std::string> kept_;                // of them by steps that were not done, in words
};

}  // namespace fairlead::datapath
