// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/packet.h"
#include "userspace/datapath/object.h"
#include "userspace/state/placement.h"

namespace fairlead::test {

// What a program made of one packet.
struct Outcome {
  std::string verdict;  // as lbctl names it
  int action = -1;      // XDP_* or TC_ACT_*
  Bytes frame;          // as it left the program
  Packet packet;        // that frame, dissected
  std::string error;    // what dissect() found wrong with it
};

// What a program made of a frame.
struct Ran {
  int error = 0;  // errno where it could not be run
  int action = -1;
  Bytes frame;
};
// Safe to call from several threads at once; counters are not looked at.
Ran run_once(int program, lb_hook hook, int ifindex, Bytes frame);

// An endpoint of a service under test.
struct TestBackend {
  std::string address;
  std::uint16_t port;
  std::uint32_t flags = 0;  // LB_BACKEND_LOCAL, LB_BACKEND_DRAINING
};

// A node of its own: a network namespace with one uplink (up0), the loaded programs, real maps filled the way lbd fills
// them.
//
//   up0  10.1.0.1/24 and fd01::1/64; MAC kNodeMac, and that of VLAN devices on it with the tags 7 and 100
//   gateway 10.1.0.254 and fd01::fe with MAC kGatewayMac: the way to clients
//   node 2  10.1.0.2   and fd01::2  with MAC kNode2Mac:   the way to 10.2.0.0/24 and fd02::/64, remote pods
//   10.3.0.0/24 and fd03::/64 are routed through a next hop whose MAC address is not known (10.1.0.77, fd01::77)
//   10.4.0.0/24 and fd04::/64 are routed through another device (other0) that lbd is not attached to
//   10.5.0.0/24 and fd05::/64 are routed with an MTU of 1400, locked: others do not count when forwarding
//   10.6.0.0/24 and fd06::/64 are unreachable
//
// Packets are sent with BPF_PROG_TEST_RUN: nothing of theirs reaches a wire. The node and the loaded object are the
// process's, because loading takes seconds; every test begins with empty maps.
class DatapathTest : public testing::Test {
 protected:
  static constexpr Mac kNodeMac{2, 0, 0, 0, 1, 1}, kGatewayMac{2, 0, 0, 0, 1, 254}, kNode2Mac{2, 0, 0, 0, 1, 2},
      kOtherMac{2, 0, 0, 0, 9, 1}, kOtherHopMac{2, 0, 0, 0, 9, 2};

  void SetUp() override;
  void TearDown() override;

  // For a test that needs other sizes or ranges; to be called before anything else.
  void load(const datapath::Config& config);
  // The object that is loaded makes way for another, as when lbd is started again; nothing else is written to the maps.
  void reload(const datapath::Config& config);
  // Its maps stay where they are pinned.
  void release() { object_.reset(); }

  // A service port with one pool. Its frontends: "192.0.2.1" is a VIP, "" a NodePort.
  void put_service(const std::string& name, const std::vector<std::string>& frontends, std::uint16_t port,
                   std::uint8_t proto, const std::vector<TestBackend>& backends,
                   std::uint32_t flags_when_empty = LB_SERVICE_REJECT);
  void remove_service(const std::string& name);
  // Lets what waits for its time have it: backends leave, space is free again.
  void pass_quarantine();

  Outcome run(lb_hook hook, const Bytes& frame);
  Outcome xdp(const Packet& packet) { return run(LB_HOOK_XDP, build(packet)); }
  Outcome xdp(const Bytes& frame) { return run(LB_HOOK_XDP, frame); }
  Outcome tc_ingress(const Packet& packet) { return run(LB_HOOK_TC_INGRESS, build(packet)); }
  Outcome tc_egress(const Packet& packet) { return run(LB_HOOK_TC_EGRESS, build(packet)); }
  int program(lb_hook hook) const;

  datapath::Object& object() { return *object_; }
  state::Placement& placement() { return *placement_; }
  int uplink() const;
  void shell(const std::string& command);

 private:
  void use(std::unique_ptr<datapath::Object> object);
  void know_frames();
  void attach();
  void write_changes();

  std::unique_ptr<datapath::Object> object_;
  bool shared_ = true;
  std::unique_ptr<state::Placement> placement_;
  state::Tables actual_;
  std::chrono::steady_clock::time_point now_;
};

}  // namespace fairlead::test
