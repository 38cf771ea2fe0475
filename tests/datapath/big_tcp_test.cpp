// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <cerrno>
#include <cstring>

#include "tests/datapath/scene.h"

// BIG TCP: what is longer than an IP header's length can say has 0 there until it is cut into segments, which tc comes
// before.
namespace fairlead::test {
namespace {

class BigTcp : public Scene, public testing::WithParamInterface<Family> {
 protected:
  void SetUp() override {
    Scene::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) make(GetParam());
  }

  Bytes with_length(const Bytes& frame, const Bytes& length) const {
    const Bytes bytes = patched(frame, l3() + (is_ipv4() ? 2 : 4), length);
    return is_ipv4() ? with_ipv4_checksum(bytes) : bytes;
  }

  // What becomes of it when its header has no length, as one that is still to be cut into segments.
  Packet big(lb_hook hook, const Packet& packet) {
    const Bytes whole = fairlead::test::build(packet);
    const auto length = whole.begin() + static_cast<std::ptrdiff_t>(l3() + (is_ipv4() ? 2 : 4));
    Bytes frame = with_length(whole, {0, 0});
    Bytes out(4096);
    __sk_buff context{};
    context.ifindex = static_cast<std::uint32_t>(uplink());
    context.gso_segs = 2;
    context.gso_size = 500;
    bpf_test_run_opts options{};
    options.sz = sizeof(options);
    options.data_in = frame.data();
    options.data_size_in = static_cast<std::uint32_t>(frame.size());
    options.data_out = out.data();
    options.data_size_out = static_cast<std::uint32_t>(out.size());
    options.ctx_in = &context;
    options.ctx_size_in = sizeof(context);
    EXPECT_EQ(bpf_prog_test_run_opts(program(hook), &options), 0) << strerror(errno);
    out.resize(options.data_size_out);
    return dissect(with_length(out, {length[0], length[1]})).packet;
  }
};

TEST_P(BigTcp, IsTranslatedBothWays) {
  Packet reply = reverse(begin(kLocal));
  reply.payload = Bytes(1000, 3);
  const Packet back = big(LB_HOOK_TC_EGRESS, reply);
  EXPECT_EQ(back.src, Address::literal(at().vip));
  EXPECT_EQ(back.sport, kLocal);
  Packet request = to_vip(kLocal, kAck);
  request.payload = Bytes(1000, 3);
  const Packet there = big(LB_HOOK_TC_INGRESS, request);
  EXPECT_EQ(there.dst, Address::literal(at().pod));
  EXPECT_EQ(there.dport, kBackendPort);
}

INSTANTIATE_TEST_SUITE_P(, BigTcp, testing::Values(Family::IPv4, Family::IPv6),
                         [](const auto& info) { return std::string(hosts(info.param).family); });

}  // namespace
}  // namespace fairlead::test
