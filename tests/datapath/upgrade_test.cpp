// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <functional>
#include <iostream>
#include <system_error>
#include <thread>

#include "tests/datapath/upgrade_fixture.h"
#include "tests/support/refuse.h"
#include "userspace/datapath/flow_table.h"
#include "userspace/datapath/own_pins.h"
#include "userspace/datapath/version1.h"

namespace fairlead::test {
namespace {

namespace fs = std::filesystem;
using datapath::MapLayout;
using datapath::Pins;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(Upgrade, OfEachMapInTurnKeepsEveryFlow) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(125));
  for (const MapLayout& is : datapath::map_layouts()) {
    SCOPED_TRACE(is.map);
    const std::uint64_t made = flows_made(), packets = packets_counted();
    leave_scrambled(pins_, is, layouts_.at(is.map));
    ASSERT_NO_FATAL_FAILURE(reload(config_));
    EXPECT_THAT(object().lost(), IsEmpty());
    EXPECT_TRUE(object().adopted());
    EXPECT_EQ(flows_made(), made);
    EXPECT_EQ(packets_counted(), packets);
    EXPECT_EQ(changed_flows(), 0U);
    ASSERT_NO_FATAL_FAILURE(finish());
    EXPECT_EQ(changed_flows(), 0U) << "after the end of the upgrade";
    EXPECT_EQ(flows_made(), made) << "flows were made anew";
    expect_only_our_pins();
  }
}

TEST_F(Upgrade, OfAllMapsAtOnceKeepsEveryFlow) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(1000));
  const std::uint64_t made = flows_made(), packets = packets_counted();
  leave_all_scrambled();
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  EXPECT_THAT(object().lost(), IsEmpty());
  EXPECT_EQ(packets_counted(), packets);
  EXPECT_EQ(changed_flows(), 0U);
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(changed_flows(), 0U);
  EXPECT_EQ(flows_made(), made);
  expect_only_our_pins();
}

// The same ports are in use as before: another flow to the same backend gets none of them.
TEST_F(Upgrade, KnowsThePortsInUse) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(100));
  ASSERT_EQ(ports_in_use(), 400U);
  leave_all_scrambled();
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  EXPECT_EQ(ports_in_use(), 400U);
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(ports_in_use(), 400U);
}

// Programs of the other build go on between the first copy and the end: one flow is new, one is closed, one has ended.
TEST_F(Upgrade, BringsWhatHasChangedMeanwhile) {
  constexpr std::uint16_t kNew = 40001, kClosed = 40002, kEnded = 40003;
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(4));
  leave_all_scrambled();
  // The new flow is still being written.
  const datapath::ForeignMap old = other("lb_flow4");
  const auto client_port = [](const OtherEntry& entry) {
    return entry.get("head.flags") & LB_FLOW_REPLY ? entry.get("head.new_dport") : entry.get("head.sport");
  };
  each_other_flow(old, [&](OtherEntry& entry) {
    if (client_port(entry) == kNew) entry.set("head.seq", entry.get("head.seq") + 1);
  });
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  const auto flows_of = [&](std::uint16_t port) {
    std::vector<std::uint8_t> states;
    for (const lb_flow4_set& set : object().flows4.values())
      for (const lb_flow4& entry : set.way)
        if (entry.head.proto &&
            ntohs(entry.head.flags & LB_FLOW_REPLY ? entry.head.new_dport : entry.head.sport) == port)
          states.push_back(entry.head.state);
    return states;
  };
  EXPECT_THAT(flows_of(kNew), IsEmpty());
  EXPECT_EQ(flows_of(kEnded).size(), 8U);
  each_other_flow(old, [&](OtherEntry& entry) {
    if (client_port(entry) == kNew) entry.set("head.seq", entry.get("head.seq") + 1);
    if (client_port(entry) == kClosed) entry.set("head.state", LB_FLOW_ANSWERED | LB_FLOW_RST);
    if (client_port(entry) == kEnded) entry.set("head.proto", 0);
  });
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(flows_of(kNew).size(), 8U);
  EXPECT_EQ(flows_of(kClosed), std::vector<std::uint8_t>(8, LB_FLOW_ANSWERED | LB_FLOW_RST));
  EXPECT_THAT(flows_of(kEnded), IsEmpty());
}

// The last flow that the other build's programs made is not here when ours take over: its TCP segments are lost, which
// TCP makes up for, rather than that either side hears from somebody it does not know.
TEST_F(Upgrade, DropsSegmentsOfFlowsThatAreStillToCome) {
  constexpr std::uint16_t kNew = 40001;
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(2));
  leave_all_scrambled();
  const auto toggle_writing = [&](const char* table) {
    each_other_flow(other(table), [&](OtherEntry& entry) {
      if ((entry.get("head.flags") & LB_FLOW_REPLY ? entry.get("head.new_dport") : entry.get("head.sport")) == kNew)
        entry.set("head.seq", entry.get("head.seq") ^ 1);
    });
  };
  for (const char* table : {"lb_flow4", "lb_flow6"})
    toggle_writing(table);
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  const auto busy = [&] {
    std::uint64_t sum = 0;
    for (const auto& hook : datapath::read_verdicts(object()))
      sum += hook[LB_VERDICT_FLOW_BUSY];
    return sum;
  };
  const std::uint64_t busy_before = busy();
  object().begin_handover();
  for (const Known& flow : flows_)
    if (dissect(flow.request).packet.proto == LB_IPPROTO_TCP) send(flow.replies_at, flow.reply);
  EXPECT_EQ(busy() - busy_before, 4U) << "a reply each over IPv4 and IPv6, from here and elsewhere";
  for (const char* table : {"lb_flow4", "lb_flow6"})
    toggle_writing(table);
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(changed_flows(), 0U);
  EXPECT_EQ(busy() - busy_before, 4U);
}

// What a program of this build has made of a flow stays.
TEST_F(Upgrade, LeavesAloneWhatItsOwnProgramsHaveWritten) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(4));
  leave_all_scrambled();
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  // Later each packet writes to its flow's entries.
  object().clock[0].offset += datapath::ticks_of(20, object().clock[0].jiffies_per_second);
  EXPECT_EQ(changed_flows(), 0U);
  each_other_flow(other("lb_flow4"), [](OtherEntry& entry) { entry.set("head.proto", 0); });
  ASSERT_NO_FATAL_FAILURE(finish());
  const std::uint64_t made = flows_made();
  EXPECT_EQ(changed_flows(), 0U);
  EXPECT_EQ(flows_made(), made);
}

// lbd is killed before the end, once with all new maps pinned and once with some: the next one begins again.
TEST_F(Upgrade, CanBeginAgain) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(50));
  const std::uint64_t made = flows_made(), packets = packets_counted();
  leave_all_scrambled();
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  EXPECT_EQ(packets_counted(), packets);
  EXPECT_EQ(changed_flows(), 0U);
  unsigned number = 0;
  for (const MapLayout& is : datapath::map_layouts())
    if (++number % 2) unlink(pins_.map(is.map, is.number).c_str());
  // Killed while it wrote an entry.
  object().flows6[0].way[0].head.seq |= 1;
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  EXPECT_EQ(object().flows6[0].way[0].head.seq & 1, 0U);
  EXPECT_EQ(changed_flows(), 0U);
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(changed_flows(), 0U);
  EXPECT_EQ(flows_made(), made);
  expect_only_our_pins();
}

// Where programs push old entries out, the walk begins anew at each that is gone.
TEST_F(Upgrade, IsNotKeptByEntriesThatComeAndGo) {
  const Fd map(bpf_map_create(BPF_MAP_TYPE_HASH, "comes_and_goes", 4, 4, 8, nullptr));
  std::uint32_t next = 0, visits = 0;
  const auto put = [&] { return bpf_map_update_elem(map.get(), &next, &next, BPF_ANY) ? 0 : ++next; };
  while (next < 4)
    ASSERT_TRUE(put());
  const auto walked = datapath::each_key(map.get(), *datapath::info_of(map.get()), [&](const auto& key) -> Result<> {
    EXPECT_EQ(bpf_map_delete_elem(map.get(), key.data()), 0);
    EXPECT_TRUE(put());
    return ++visits > 100 ? Result<>(Error{"it does not end", ELOOP}) : Result<>();
  });
  EXPECT_TRUE(walked);
  EXPECT_LE(visits, 8U);
}

// A map like another, and empty.
Fd empty_like(int map, std::optional<std::uint32_t> entries = {}, std::optional<bpf_map_type> type = {}) {
  const bpf_map_info info = *datapath::info_of(map);
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = info.map_flags);
  return Fd(bpf_map_create(type.value_or(static_cast<bpf_map_type>(info.type)), info.name, info.key_size,
                           info.value_size, entries.value_or(info.max_entries), &options));
}
Fd empty_like(const std::string& pin, std::optional<std::uint32_t> entries = {},
              std::optional<bpf_map_type> type = {}) {
  return empty_like(Fd(bpf_obj_get(pin.c_str())).get(), entries, type);
}

// A third build's maps, with nothing in them: pinned by an lbd that did not come to attach its programs. What counts is
// what that lbd made them from, whichever of the two has the higher number.
TEST_F(Upgrade, FromTwoOtherLayoutsKeepsWhatIsInTheOlder) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(50));
  const std::uint64_t made = flows_made(), packets = packets_counted();
  for (const unsigned third : {kOtherNumber + 1, kOtherNumber - 1}) {
    SCOPED_TRACE(third);
    const std::uint64_t packets_before = packets_counted();
    EXPECT_GE(packets_before, packets);
    leave_all_scrambled();
    for (const MapLayout& is : datapath::map_layouts()) {
      pin_instead(pins_.map(is.map, third), empty_like(pins_.map(is.map, kOtherNumber)).get());
      pin_instead(pins_.layout(is.map, third), Fd(bpf_obj_get(pins_.layout(is.map, kOtherNumber).c_str())).get());
    }
    ASSERT_NO_FATAL_FAILURE(reload(config_));
    EXPECT_THAT(object().lost(), IsEmpty());
    EXPECT_EQ(packets_counted(), packets_before);
    ASSERT_NO_FATAL_FAILURE(finish());
    EXPECT_EQ(changed_flows(), 0U);
    EXPECT_EQ(flows_made(), made) << "flows were made anew";
    expect_only_our_pins();
  }
}

// Back from another build that could not remove what was pinned before it: its own word is that this counts for
// nothing. Backends have changed since.
TEST_F(Upgrade, DoesNotBelieveWhatAnotherBuildHasSuperseded) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(50));
  const std::uint64_t made = flows_made();
  leave_beside();
  for (lb_backend& backend : object().backends.values())
    ++backend.generation;
  for (const MapLayout& is : datapath::map_layouts())
    ASSERT_TRUE(datapath::supersede_layout(pins_.layout(is.map, is.number)));
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  EXPECT_THAT(object().lost(), IsEmpty());
  EXPECT_TRUE(object().adopted());
  EXPECT_EQ(changed_flows(), 0U);
  EXPECT_EQ(flows_made(), made);
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(changed_flows(), 0U);
  expect_only_our_pins();
  EXPECT_TRUE(datapath::read_layout(pins_.layout("lb_flow4", LB_FLOW4_LAYOUT))) << "and is believed again";
}

// What stays is named, keeps nothing else, and counts for nothing.
TEST_F(Upgrade, RemovesTheRestOfWhatItCannotRemove) {
  ASSERT_NO_FATAL_FAILURE(serve());
  leave_all_scrambled();
  const std::string block = pins_.maps() + "/lb_aaa-v1";
  fs::create_directory(block);
  const Fd description(bpf_obj_get(pins_.layout("lb_backends", kOtherNumber).c_str()));
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  for (int again = 0; again < 2; ++again) {
    const auto left = object().finish_upgrade();
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left.front().message, "remove " + block + ": a map was expected, and there is a directory");
  }
  fs::remove(block);
  ASSERT_NO_FATAL_FAILURE(finish());
  expect_only_our_pins();
  pin_instead(block, description.get());
  const auto layout = datapath::read_layout(block);
  ASSERT_FALSE(layout);
  EXPECT_EQ(layout.error().code, ESTALE);
}

// A value for each CPU is longer than it says: reading one as if it were one value wrote beyond its end.
TEST_F(Upgrade, DoesNotReadMapsOfAnotherKind) {
  ASSERT_NO_FATAL_FAILURE(serve());
  for (const char* name : {"lb_devices", "lb_addresses"}) {
    const MapLayout is{name, 1, datapath::Kept::ENTRIES};
    leave_scrambled(pins_, is, layouts_.at(name));
    const std::string path = pins_.map(name, kOtherNumber);
    pin_instead(path, empty_like(path, 64, BPF_MAP_TYPE_PERCPU_HASH).get());
  }
  datapath::Layout by_cpu = scrambled(layouts_.at("lb_addresses"));
  by_cpu.type = "percpu_hash";
  ASSERT_TRUE(datapath::pin_layout(pins_.layout("lb_addresses", kOtherNumber), by_cpu));
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  EXPECT_THAT(object().lost(),
              ElementsAre("lb_addresses-v99 (64 entries): what this lbd has under the name cannot be made of the type "
                          "percpu_hash",
                          "lb_devices-v99 (64 entries): its description is of another map: it has the type percpu_hash "
                          "instead of hash"));
  ASSERT_NO_FATAL_FAILURE(finish());
  expect_only_our_pins();
}

// A program, of the one type whose number is a hash map's.
Fd some_program() {
  const bpf_insn instructions[] = {{0xb7, 0, 0, 0, 0}, {0x95, 0, 0, 0, 0}};  // r0 = 0; exit
  return Fd(bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "some_program", "GPL", instructions, 2, nullptr));
}

// Another's map with its own description, and what is no map. Counting its entries took memory by a program's tag.
TEST_F(Upgrade, DoesNotTakeAnythingElseForAMap) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(10));
  const MapLayout rings = layout_of("lb_rings");
  leave_scrambled(pins_, rings, layouts_.at(rings.map));
  fs::rename(pins_.map(rings.map, kOtherNumber), pins_.map("lb_members", kOtherNumber));
  fs::rename(pins_.layout(rings.map, kOtherNumber), pins_.layout("lb_members", kOtherNumber));
  unlink(pins_.map("lb_members", LB_MEMBERS_LAYOUT).c_str());
  const std::string program = pins_.map("lb_services", kOtherNumber), directory = pins_.map("lb_names", 3);
  pin_instead(program, some_program().get());
  fs::create_directory(directory);
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  EXPECT_THAT(object().lost(),
              ElementsAre("lb_members-v99 (16 entries): the map that is pinned there is lb_rings",
                          "lb_names-v3: this lbd has no such map",
                          "lb_services-v99: " + program + ": a map was expected, and there is a bpf-prog"));
  fs::remove(directory);
  const auto left = object().finish_upgrade();
  ASSERT_EQ(left.size(), 2U) << "they are others', and stay";
  EXPECT_THAT(left[0].message, HasSubstr("lb_members-v99: the map that is pinned there is lb_rings"));
  EXPECT_EQ(left[1].message, "remove " + program + ": a map was expected, and there is a bpf-prog");
  for (const std::string& path : {pins_.map("lb_members", kOtherNumber), program})
    EXPECT_EQ(unlink(path.c_str()), 0) << path;
  ASSERT_NO_FATAL_FAILURE(finish());
  expect_only_our_pins();
}

TEST_F(Upgrade, RefusesAPinOfItsOwnNumberThatIsAnythingElse) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const std::string rings = pins_.map("lb_rings", LB_RINGS_LAYOUT);
  pin_instead(rings, Fd(bpf_obj_get(pins_.map("lb_members", LB_MEMBERS_LAYOUT).c_str())).get());
  EXPECT_THAT(refusal(), HasSubstr("lb_rings-v1: in the place of lbd's map is lb_members with the id "));
  pin_instead(rings, some_program().get());
  EXPECT_EQ(refusal(), rings + ": a map was expected, and there is a bpf-prog");
  unlink(rings.c_str());
  fs::create_directory(rings);
  EXPECT_EQ(refusal(), rings + ": a map was expected, and there is a directory");
}

TEST_F(Upgrade, RefusesAPinOfItsOwnNumberAndAnotherSize) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const std::string clock = pins_.map("lb_clock", LB_CLOCK_LAYOUT);
  const Fd good(bpf_obj_get(clock.c_str()));
  pin_instead(clock, empty_like(clock, 2).get());
  EXPECT_THAT(refusal(), HasSubstr("lb_clock-v2: the pinned map has 2 entries instead of 1"));
  pin_instead(clock, good.get());
  const std::string backends = pins_.map("lb_backends", LB_BACKENDS_LAYOUT);
  pin_instead(backends, empty_like(backends, 512).get());
  EXPECT_THAT(refusal(), HasSubstr("lb_backends: the pinned map has 512 entries"));
}

// In a thread of its own, which the kernel refuses something.
std::string outcome_of(const std::function<void()>& refuse, const datapath::Config& config) {
  std::string outcome;
  std::thread([&] {
    refuse();
    const auto loaded = datapath::Object::load(config);
    outcome = loaded ? "loaded" : loaded.error().message;
  }).join();
  return outcome;
}

std::string outcome_without(bpf_cmd command, const datapath::Config& config) {
  return outcome_of([&] { refuse_bpf(command, EINTR); }, config);
}

// The other build's maps may be good: giving one up for a call that was interrupted lost the connections in it.
TEST_F(Upgrade, GivesNothingUpForACallThatFails) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(10));
  leave_all_scrambled();
  release();
  for (const bpf_cmd command : {BPF_OBJ_GET, BPF_OBJ_GET_INFO_BY_FD, BPF_MAP_LOOKUP_ELEM, BPF_MAP_LOOKUP_BATCH,
                                BPF_MAP_GET_NEXT_KEY, BPF_MAP_UPDATE_ELEM})
    EXPECT_THAT(outcome_without(command, config_), HasSubstr("Interrupted system call")) << command;
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  EXPECT_THAT(object().lost(), IsEmpty());
  EXPECT_EQ(changed_flows(), 0U);
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(changed_flows(), 0U);
  expect_only_our_pins();
}

// Taken for empty, it cost all that was in it.
TEST_F(Upgrade, GivesNothingUpForADirectoryThatCannotBeRead) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(10));
  leave_all_scrambled();
  release();
  EXPECT_EQ(outcome_of([] { refuse_call(SYS_getdents64, ENOMEM); }, config_),
            "read " + pins_.maps() + ": Cannot allocate memory");
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  EXPECT_THAT(object().lost(), IsEmpty());
  EXPECT_EQ(changed_flows(), 0U);
  std::vector<Error> left;
  std::thread([&] {
    refuse_call(SYS_getdents64, ENOMEM);
    left = object().finish_upgrade();
  }).join();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_THAT(left[0].message, HasSubstr("Cannot allocate memory"));
  ASSERT_NO_FATAL_FAILURE(finish()) << "tried again";
  EXPECT_EQ(changed_flows(), 0U);
  expect_only_our_pins();
}

TEST_F(Upgrade, IsCleanedUpWithAWordOnWhatCannotBeRead) {
  ASSERT_NO_FATAL_FAILURE(serve());
  release();
  datapath::OwnPins removed;
  std::thread([&] {
    refuse_call(SYS_getdents64, ENOMEM);
    removed = datapath::remove_own_pins(pins_.directory());
  }).join();
  std::vector<std::string> left;
  for (const Error& error : removed.left)
    left.push_back(error.message);
  EXPECT_THAT(left, testing::Contains("read " + pins_.maps() + ": Cannot allocate memory"));
  EXPECT_THAT(datapath::remove_own_pins(pins_.directory()).left, IsEmpty());
  EXPECT_FALSE(fs::exists(pins_.directory()));
}

// Of the calling thread.
void hide_proc() {
  const bool hidden = unshare(CLONE_NEWNS) == 0 && mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                      mount("none", "/proc", "tmpfs", 0, nullptr) == 0;
  if (!hidden) throw std::system_error(errno, std::system_category(), "hide /proc");
}

// As in a chroot.
TEST_F(Upgrade, GivesNothingUpWithoutProc) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(10));
  leave_all_scrambled();
  release();
  EXPECT_THAT(outcome_of(hide_proc, config_), HasSubstr("read /proc/self/fd/"));
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  EXPECT_THAT(object().lost(), IsEmpty());
  EXPECT_EQ(changed_flows(), 0U);
}

// Nor a map of its own.
TEST_F(Upgrade, AdoptsNothingLessForACallThatFails) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(10));
  release();
  for (const bpf_cmd command : {BPF_OBJ_GET, BPF_OBJ_GET_INFO_BY_FD, BPF_MAP_LOOKUP_ELEM})
    EXPECT_THAT(outcome_without(command, config_), HasSubstr("Interrupted system call")) << command;
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  EXPECT_THAT(object().lost(), IsEmpty());
  EXPECT_EQ(changed_flows(), 0U);
}

TEST_F(Upgrade, NamesWhatIsMissing) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(100));
  unlink(pins_.map("lb_flow4", LB_FLOW4_LAYOUT).c_str());
  unlink(pins_.layout("lb_flow4", LB_FLOW4_LAYOUT).c_str());
  unlink(pins_.map("lb_devices", LB_DEVICES_LAYOUT).c_str());
  unlink(pins_.layout("lb_clock", LB_CLOCK_LAYOUT).c_str());
  unlink(pins_.map("lb_snat_pools", LB_SNAT_POOLS_LAYOUT).c_str());
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  EXPECT_THAT(object().lost(),
              ElementsAre("lb_clock-v2: it has no description", "lb_flow4: it is not pinned any more, and begins empty",
                          "lb_devices: it is not pinned any more, and begins empty"));
  EXPECT_EQ(ports_in_use(), 200U) << "those of IPv6, whose flows are there";
  expect_only_our_pins();
}

TEST_F(Upgrade, SaysWhatItCannotKeep) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(1));
  // Longer names than this build has room for, one of which is that long.
  const MapLayout names{"lb_service_names", LB_SERVICE_NAMES_LAYOUT, datapath::Kept::ENTRIES};
  datapath::Layout longer = layouts_.at(names.map);
  longer.value = {LB_SERVICE_NAME_LEN + 40, {{"text", 0, 1, false, LB_SERVICE_NAME_LEN + 40}}};
  leave_in(pins_, names, longer);
  const Fd map(bpf_obj_get(pins_.map(names.map, kOtherNumber).c_str()));
  const std::uint32_t id = 77;
  ASSERT_EQ(bpf_map_update_elem(map.get(), &id, std::string(LB_SERVICE_NAME_LEN + 40, 'n').data(), BPF_ANY), 0);
  // A description that is none, and a map that this build does not have.
  const MapLayout stats{"lb_backend_stats", LB_BACKEND_STATS_LAYOUT, datapath::Kept::COUNTERS};
  leave_scrambled(pins_, stats, layouts_.at(stats.map));
  unlink(pins_.layout(stats.map, kOtherNumber).c_str());
  datapath::Layout garbage;
  garbage.type = "\n\n";
  ASSERT_TRUE(datapath::pin_layout(pins_.layout(stats.map, kOtherNumber), garbage));
  const Fd affinity(bpf_map_create(BPF_MAP_TYPE_HASH, "lb_affinity", 4, 4, 9, nullptr));
  ASSERT_EQ(bpf_obj_pin(affinity.get(), pins_.map("lb_affinity", 3).c_str()), 0);

  ASSERT_NO_FATAL_FAILURE(reload(config_));
  EXPECT_THAT(
      object().lost(),
      ElementsAre("lb_affinity-v3 (0 entries): this lbd has no such map",
                  "lb_backend_stats-v99 (1024 entries): its description, " + pins_.layout(stats.map, kOtherNumber) +
                      ", cannot be read: line 1 says nothing about a layout: map ",
                  "lb_service_names-v99: 1 of 9 entries hold what the other layout has no room for"));
  EXPECT_EQ(changed_flows(), 0U);
  ASSERT_NO_FATAL_FAILURE(finish());
  expect_only_our_pins();
}

// What a build made of a number, another must not take for something else.
TEST_F(Upgrade, RefusesTwoLayoutsOfOneNumber) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const MapLayout clock{"lb_clock", LB_CLOCK_LAYOUT, datapath::Kept::ENTRIES};
  object().clock[0].now = 17;
  datapath::Layout renamed = layouts_.at(clock.map);
  renamed.value.fields[0].path = "then";
  ASSERT_TRUE(datapath::pin_layout(pins_.layout(clock.map, clock.number), renamed));
  release();
  const auto described = datapath::Object::load(config_);
  ASSERT_FALSE(described);
  EXPECT_THAT(described.error().message,
              HasSubstr("lb_clock-v2: the pinned map has \"then 0 u32\" where this lbd has \"now 0 u32\". Two builds"));

  leave_scrambled(pins_, clock, layouts_.at(clock.map));
  fs::rename(pins_.map(clock.map, kOtherNumber), pins_.map(clock.map, clock.number));
  ASSERT_TRUE(datapath::pin_layout(pins_.layout(clock.map, clock.number), layouts_.at(clock.map)));
  const auto sized = datapath::Object::load(config_);
  ASSERT_FALSE(sized);
  EXPECT_THAT(sized.error().message, HasSubstr("lb_clock-v2: the pinned map has values of size 104 instead of 88"));
}

// As lbd pinned its maps before each had a layout: all in v1, without descriptions. What lies in maps is older.
TEST_F(Upgrade, TakesOverTheDirectoryOfOldLbds) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(10));
  const auto names = [&] {
    std::set<std::string> all;
    object().names.for_each([&](auto, const lb_service_name& name) { all.insert(name.text); });
    return all;
  };
  const std::set<std::string> before = names();
  ASSERT_EQ(before.size(), 8U);
  const auto in_v1 = [&](const std::string& name) { return pins_.directory() + "/v1/" + name; };
  fs::create_directory(in_v1(""));
  for (const auto& [name, text] : datapath::layouts_of_v1()) {
    leave_in(pins_, layout_of(name), *datapath::parse_layout(text));
    fs::rename(pins_.map(name, kOtherNumber), in_v1(name));
  }
  fs::rename(pins_.map("lb_verdicts", LB_VERDICTS_LAYOUT), in_v1("lb_verdicts"));
  const std::string stale = pins_.map("lb_backends", LB_BACKENDS_LAYOUT);
  pin_instead(stale, empty_like(in_v1("lb_backends")).get());
  ASSERT_TRUE(datapath::pin_layout(pins_.layout("lb_backends", LB_BACKENDS_LAYOUT), layouts_.at("lb_backends")));
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  EXPECT_THAT(object().lost(), ElementsAre(HasSubstr("lb_verdicts-v1 (2048 entries): it has no description")));
  EXPECT_EQ(names(), before);
  EXPECT_EQ(changed_flows(), 0U);
  ASSERT_NO_FATAL_FAILURE(finish());
  expect_only_our_pins();
}

TEST_F(Upgrade, NamesAndRemovesADirectoryThatNobodyKnows) {
  ASSERT_NO_FATAL_FAILURE(serve());
  release();
  fs::rename(pins_.maps(), pins_.directory() + "/v0");
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  EXPECT_THAT(object().lost(), ElementsAre(pins_.directory() + "/v0: maps of an lbd that this one does not know"));
  EXPECT_FALSE(object().adopted());
  ASSERT_NO_FATAL_FAILURE(finish());
  expect_only_our_pins();
}

// Tables of lbd's default size, each with the flows that it is meant for and then with as many as go in.
TEST_F(Upgrade, OfFullTablesLosesNothing) {
  config_.sizes = {};
  ASSERT_NO_FATAL_FAILURE(serve());
  std::uint32_t source = 0;
  const auto fill = [&]<class Set>(const datapath::MappedArray<Set>& sets, std::size_t entries) {
    using Table = datapath::FlowTable<Set>;
    const Table table(sets, &object().config().flow_keys);
    constexpr typename Table::At kAnywhere{~0u, ~0u};
    std::uint32_t failed = 0;
    while (entries && failed < 1000) {
      typename Table::Entry forward{};
      forward.head.proto = LB_IPPROTO_UDP;
      forward.head.expires = 1000;
      forward.addr[LB_FLOW_SRC][0] = forward.addr[LB_FLOW_NEW_SRC][0] = ++source;
      const auto reply = table.insert(Table::pair_of(forward), kAnywhere);
      if (reply && table.insert(forward, kAnywhere)) {
        entries -= 2;
        continue;
      }
      if (reply) table.remove(table[*reply], Table::seq_of(table[*reply]));
      ++failed;
    }
  };
  const auto count = [](const auto& sets) {
    std::size_t used = 0;
    for (const auto& set : sets.values())
      for (const auto& entry : set.way)
        used += entry.head.proto != 0;
    return used;
  };
  using Clock = std::chrono::steady_clock;
  const auto load_time = [&] {
    const auto begin = Clock::now();
    reload(config_);
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
  };
  std::cout << "load without conversion: " << load_time() << " ms\n";
  for (const std::size_t entries : {std::size_t{131072}, ~std::size_t{0} >> 1}) {
    fill(object().flows4, entries);
    fill(object().flows6, entries);
    const std::size_t used4 = count(object().flows4), used6 = count(object().flows6);
    leave_all_scrambled();
    std::cout << "load with " << used4 << " and " << used6 << " entries to convert: " << load_time() << " ms\n";
    EXPECT_THAT(object().lost(), IsEmpty());
    EXPECT_EQ(count(object().flows4), used4);
    EXPECT_EQ(count(object().flows6), used6);
    const auto begin = Clock::now();
    ASSERT_NO_FATAL_FAILURE(finish());
    std::cout << "end of it: " << std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count()
              << " ms\n";
    EXPECT_EQ(count(object().flows4), used4);
    EXPECT_EQ(count(object().flows6), used6);
  }
}

}  // namespace
}  // namespace fairlead::test
