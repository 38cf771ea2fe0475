// SPDX-License-Identifier: Apache-2.0
#include "tests/datapath/fixture.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include "userspace/compile/maglev.h"
#include "userspace/datapath/counters.h"
#include "userspace/datapath/frames.h"
#include "userspace/datapath/tables_io.h"

namespace fairlead::test {
namespace {

// Small, so that loading is quick.
datapath::Config small() {
  datapath::Config config;
  config.sizes = {1024, 1024, 1024, 1024, 1u << 16, 1u << 12, 1024, 1024};
  return config;
}

constexpr const char* kNode = R"(set -e
ip link set lo up
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip link add up0 address 02:00:00:00:01:01 type veth peer name up1
ip link add other0 address 02:00:00:00:09:01 type veth peer name other1
sysctl -qw net.ipv6.conf.up1.disable_ipv6=1 net.ipv6.conf.other1.disable_ipv6=1
for device in up0 up1 other0 other1; do ip link set $device up; done
ip addr add 10.1.0.1/24 dev up0
ip -6 addr add fd01::1/64 dev up0 nodad
ip addr add 10.9.0.1/24 dev other0
ip -6 addr add fd09::1/64 dev other0 nodad
ip neigh add 10.1.0.254 lladdr 02:00:00:00:01:fe dev up0 nud permanent
ip neigh add fd01::fe lladdr 02:00:00:00:01:fe dev up0 nud permanent
ip neigh add 10.1.0.2 lladdr 02:00:00:00:01:02 dev up0 nud permanent
ip neigh add fd01::2 lladdr 02:00:00:00:01:02 dev up0 nud permanent
ip neigh add 10.9.0.2 lladdr 02:00:00:00:09:02 dev other0 nud permanent
ip neigh add fd09::2 lladdr 02:00:00:00:09:02 dev other0 nud permanent
ip route add default via 10.1.0.254
ip -6 route add default via fd01::fe
ip route add 10.2.0.0/24 via 10.1.0.2
ip -6 route add fd02::/64 via fd01::2
ip route add 10.3.0.0/24 via 10.1.0.77
ip -6 route add fd03::/64 via fd01::77
ip route add 10.4.0.0/24 via 10.9.0.2
ip -6 route add fd04::/64 via fd09::2
ip route add 10.5.0.0/24 via 10.1.0.2 mtu lock 1400
ip -6 route add fd05::/64 via fd01::2 mtu lock 1400
ip route add unreachable 10.6.0.0/24
ip -6 route add unreachable fd06::/64
)";

// The object that tests hand on to each other.
std::unique_ptr<datapath::Object>& shared_object() {
  static std::unique_ptr<datapath::Object> object;
  return object;
}

template <class T>
void zero(const datapath::MappedArray<T>& array) {
  std::memset(static_cast<void*>(array.values().data()), 0, array.values().size_bytes());
}

// As after loading, but for counters, which tests take differences of, and generations, which never repeat.
void empty(datapath::Object& object) {
  for (const auto& operation : state::diff({}, datapath::read_back(object), [&] {
         state::Touched all;
         all.add_all(datapath::read_back(object));
         return all;
       }()))
    ASSERT_TRUE(datapath::write(object, operation));
  zero(object.flows4);
  zero(object.flows6);
  zero(object.snat_pools);
  zero(object.backends);
}

lb_service_key key_of(const std::string& address, std::uint16_t port, std::uint8_t proto, Family family) {
  Address parsed;
  parsed.family = family;
  if (!address.empty()) parsed = Address::literal(address);
  return {state::to_abi(parsed), htons(port), proto, static_cast<std::uint8_t>(family)};
}

std::string changed_verdict(const datapath::Verdicts& before, const datapath::Verdicts& after, lb_hook hook) {
  std::string names;
  for (const datapath::VerdictInfo& info : datapath::verdict_infos())
    if (after[hook][info.verdict] != before[hook][info.verdict])
      names += (names.empty() ? "" : "+") + std::string(info.name);
  return names;
}

}  // namespace

void DatapathTest::SetUp() {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: loads BPF programs and makes a network namespace";
  static const bool made = [this] {
    if (unshare(CLONE_NEWNET)) return false;
    shell(kNode);
    return !HasFatalFailure();
  }();
  ASSERT_TRUE(made) << "cannot make a network namespace";
  if (!shared_object()) {
    auto object = datapath::Object::load(small());
    ASSERT_TRUE(object) << object.error().message;
    shared_object() = std::move(*object);
  }
  static const lb_clock loaded = shared_object()->clock[0];
  const std::uint32_t next_generation = shared_object()->clock[0].next_generation;
  empty(*shared_object());
  shared_object()->clock[0] = loaded;
  shared_object()->clock[0].next_generation = next_generation;
  use(std::move(shared_object()));
}

void DatapathTest::TearDown() {
  if (object_ && shared_) shared_object() = std::move(object_);
}

void DatapathTest::load(const datapath::Config& config) {
  TearDown();
  auto object = datapath::Object::load(config);
  ASSERT_TRUE(object) << object.error().message;
  shared_ = false;
  use(std::move(*object));
}

void DatapathTest::reload(const datapath::Config& config) {
  object_.reset();
  auto object = datapath::Object::load(config);
  ASSERT_TRUE(object) << object.error().message;
  object_ = std::move(*object);
  know_frames();
  attach();
}

void DatapathTest::shell(const std::string& command) {
  ASSERT_EQ(std::system(("(" + command + ") 2>&1").c_str()), 0) << command;
}

int DatapathTest::uplink() const {
  return static_cast<int>(if_nametoindex("up0"));
}

void DatapathTest::use(std::unique_ptr<datapath::Object> object) {
  object_ = std::move(object);
  const datapath::Sizes& sizes = object_->sizes();
  actual_ = {};
  placement_ = std::make_unique<state::Placement>(state::Limits{sizes.frontends, sizes.addresses, sizes.service_ports,
                                                                sizes.backends, sizes.ring_slots, sizes.members},
                                                  object_->clock[0].next_generation);
  const Address v4 = Address::literal("10.1.0.1"), v6 = Address::literal("fd01::1");
  placement_->set_node_addresses({{state::to_abi(v4), LB_AF_INET, true}, {state::to_abi(v6), LB_AF_INET6, true}});
  lb_device device{};
  device.addr4 = state::to_abi(v4);
  device.addr6 = state::to_abi(v6);
  device.flags = LB_DEVICE_XDP_REDIRECT;
  ASSERT_TRUE(object_->devices.put(static_cast<std::uint32_t>(uplink()), device));
  know_frames();
  attach();
  write_changes();
}

void DatapathTest::know_frames() {
  std::vector<datapath::Frames> frames;
  for (const std::uint16_t vlan : {0, 7, 100})
    frames.push_back({uplink(), vlan, kNodeMac});
  datapath::write_frames(object_->frames[0], frames);
}

// Only a device with a program has receive queues that a test run may name.
void DatapathTest::attach() {
  ASSERT_EQ(bpf_xdp_attach(uplink(), object_->xdp_program(), 0, nullptr), 0) << strerror(errno);
}

void DatapathTest::put_service(const std::string& name, const std::vector<std::string>& frontends, std::uint16_t port,
                               std::uint8_t proto, const std::vector<TestBackend>& backends,
                               std::uint32_t flags_when_empty) {
  state::PortSpec spec;
  spec.name = name;
  state::PoolSpec pool;
  std::vector<compile::RingMember> members;
  Family family = Family::IPv4;
  for (const TestBackend& backend : backends) {
    family = Address::literal(backend.address).family;
    pool.members.push_back(static_cast<std::uint32_t>(spec.backends.size()));
    spec.backends.push_back({key_of(backend.address, backend.port, proto, family), backend.flags});
    members.push_back({members.size() + 1, 1});
  }
  if (members.empty())
    pool.flags = flags_when_empty;
  else
    pool.ring = std::make_shared<const std::vector<std::uint16_t>>(
        compile::fill_ring(members, compile::ring_slots(members.size())));
  spec.pools.push_back(pool);
  for (const std::string& frontend : frontends)
    spec.frontends.push_back(
        {key_of(frontend, port, proto, frontend.empty() ? family : Address::literal(frontend).family), 0});
  const auto placed = placement_->put(spec, now_);
  ASSERT_TRUE(placed) << placed.error().message;
  write_changes();
}

void DatapathTest::remove_service(const std::string& name) {
  placement_->remove(name, now_);
  write_changes();
}

void DatapathTest::pass_quarantine() {
  now_ += state::Placement::kRetireAfter + state::Placement::kQuarantine;
  placement_->tick(now_);
  write_changes();
}

void DatapathTest::write_changes() {
  for (const auto& operation : state::diff(placement_->desired(), actual_, placement_->take_touched())) {
    const auto written = datapath::write(*object_, operation);
    ASSERT_TRUE(written) << written.error().message;
    state::apply(actual_, operation);
  }
}

Ran run_once(int program, lb_hook hook, int ifindex, Bytes frame) {
  Bytes out(4096);
  xdp_md xdp_context{};
  xdp_context.data_end = static_cast<std::uint32_t>(frame.size());
  xdp_context.ingress_ifindex = static_cast<std::uint32_t>(ifindex);
  __sk_buff tc_context{};
  tc_context.ifindex = static_cast<std::uint32_t>(ifindex);
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.data_out = out.data();
  options.data_size_out = static_cast<std::uint32_t>(out.size());
  options.ctx_in = hook == LB_HOOK_XDP ? static_cast<void*>(&xdp_context) : &tc_context;
  options.ctx_size_in = hook == LB_HOOK_XDP ? sizeof(xdp_context) : sizeof(tc_context);
  options.repeat = 1;
  if (bpf_prog_test_run_opts(program, &options)) return {errno, -1, {}};
  out.resize(options.data_size_out);
  return {0, static_cast<int>(options.retval), std::move(out)};
}

int DatapathTest::program(lb_hook hook) const {
  if (hook == LB_HOOK_XDP) return object_->xdp_program();
  return hook == LB_HOOK_TC_INGRESS ? object_->tc_ingress_program() : object_->tc_egress_program();
}

Outcome DatapathTest::run(lb_hook hook, const Bytes& frame) {
  const auto before = datapath::read_verdicts(*object_);
  const Ran ran = run_once(program(hook), hook, uplink(), frame);
  EXPECT_EQ(ran.error, 0) << strerror(ran.error);
  Outcome outcome;
  outcome.verdict = changed_verdict(before, datapath::read_verdicts(*object_), hook);
  outcome.action = ran.action;
  outcome.frame = ran.frame;
  const Dissected dissected = dissect(outcome.frame);
  outcome.packet = dissected.packet;
  outcome.error = dissected.error;
  return outcome;
}

}  // namespace fairlead::test
