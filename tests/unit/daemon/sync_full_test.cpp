// SPDX-License-Identifier: Apache-2.0
// Maps that are full: what is in them goes on to follow its Service.
#include <arpa/inet.h>
#include <gmock/gmock.h>

#include <set>

#include "tests/support/specs.h"
#include "tests/support/tables.h"
#include "tests/unit/daemon/quiet.h"
#include "tests/unit/daemon/sync_rivals.h"
#include "userspace/compile/maglev.h"
#include "userspace/compile/ring.h"
#include "userspace/datapath/sizes.h"

namespace fairlead::daemon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

model::Name name_of(std::uint32_t number) {
  return {"default", std::string("s") + static_cast<char>('a' + number)};
}

class SyncFull : public SyncRivals {
 protected:
  // An older service has a smaller number. 192.0.2.1 and so on are for clients outside.
  void put_service(std::uint32_t number, std::uint32_t external_ips = 1) {
    model::Service service = compile::service({}, name_of(number));
    service.created = "2026-01-01T00:00:" + std::to_string(10 + number) + "Z";
    service.cluster_ips = {Address::literal("10.96.0." + std::to_string(number + 1))};
    for (std::uint32_t i = 0; i < external_ips; ++i)
      service.external_ips.push_back(Address::literal("192.0." + std::to_string(i) + "." + std::to_string(number + 1)));
    service.ports = {{"", model::Protocol::kTcp, 80, 0}};
    put(service);
  }
  // 10.0.NUMBER.FIRST and those that follow it.
  static std::vector<At> endpoints(std::uint32_t number, std::uint32_t count, std::uint32_t first = 1) {
    std::vector<At> endpoints;
    for (std::uint32_t i = 0; i < count; ++i)
      endpoints.push_back({"10.0." + std::to_string(number) + "." + std::to_string(first + i)});
    return endpoints;
  }
  void fill(std::uint32_t services, std::uint32_t count) {
    for (std::uint32_t number = 0; number < services; ++number) {
      put_service(number);
      put_endpoints(name_of(number), endpoints(number, count));
      apply();
    }
  }
  void change(std::uint32_t number, const std::vector<At>& endpoints) {
    put_endpoints(name_of(number), endpoints);
    apply();
  }

  const lb_service& entry(std::uint32_t number) const {
    return sync_->actual().services.at(test::tcp("10.96.0." + std::to_string(number + 1), 80));
  }
  bool is_served(std::uint32_t number) const {
    return sync_->actual().services.contains(test::tcp("10.96.0." + std::to_string(number + 1), 80)) &&
           entry(number).ring_slots;
  }
  // The endpoints that new flows go to.
  std::set<std::string> served(std::uint32_t number) const {
    std::set<std::string> addresses;
    const state::Tables& tables = sync_->actual();
    if (!is_served(number)) return addresses;
    for (const std::uint32_t slot : *tables.members.at(entry(number).member_offset)) {
      const lb_backend& backend = tables.backends.at(slot);
      addresses.insert(state::from_abi(backend.addr, backend.family).to_string());
    }
    return addresses;
  }
  void expect_followable() const {
    EXPECT_TRUE(test::all_followable(sync_->actual()));
    for (const auto& [name, spec] : sync_->specs())
      EXPECT_TRUE(test::serves(sync_->actual(), spec));
  }

  const Quiet quiet_;
};

lb_service_key key(std::uint8_t family, std::uint32_t net, std::uint32_t number) {
  lb_service_key key{};
  key.addr.word[0] = htonl(net);
  key.addr.word[family == LB_AF_INET ? 0 : 3] = htonl(net + number);
  key.port = htons(80);
  key.proto = LB_IPPROTO_TCP;
  key.family = family;
  return key;
}

// With a cluster IP and a VIP.
state::PortSpec large_cluster_port(std::uint32_t number, std::uint8_t family, std::uint32_t first_endpoint) {
  state::PortSpec spec;
  spec.name = "default/s" + std::to_string(number) + ":80/TCP/" + std::to_string(family);
  state::PoolSpec& pool = spec.pools.emplace_back();
  for (std::uint32_t i = 0; i < 10; ++i) {
    pool.members.push_back(i);
    spec.backends.push_back({key(family, 0x0a000000, number * 20 + first_endpoint + i), 0});
  }
  pool.ring = compile::make_ring(spec, pool.members, compile::ring_slots(pool.members.size()));
  spec.frontends = {{key(family, 0x64000000, number), 0}, {key(family, 0xc0000000, number), 0}};
  return spec;
}

std::set<std::string> addresses(const std::vector<At>& endpoints) {
  std::set<std::string> addresses;
  for (const At& at : endpoints)
    addresses.insert(at.address);
  return addresses;
}

TEST_F(SyncFull, InAFullArenaEveryServiceThatIsInFollowsItsEndpoints) {
  start({64, 64, 64, 256, 16 * LB_RING_MIN_SLOTS, 1u << 10});
  fill(20, 3);
  ASSERT_THAT(sync_->refused(), testing::Not(IsEmpty())) << "the arena is to be full";
  for (std::uint32_t number = 0; number < 20; ++number) {
    if (!is_served(number)) continue;
    change(number, endpoints(number, 3, 2));
    EXPECT_EQ(served(number), addresses(endpoints(number, 3, 2))) << number;
    advance(kLong);
  }
  expect_followable();
}

// Who scales up takes smaller rings before it takes what others need to change.
TEST_F(SyncFull, GrowthLeavesRoomForChanges) {
  start({64, 64, 64, 4096, 16 * LB_RING_MIN_SLOTS, 1u << 13});
  fill(8, 2);
  for (std::uint32_t number = 0; number < 8; ++number) {
    change(number, endpoints(number, 40));
    advance(kLong);
  }
  change(0, endpoints(0, 40, 2));
  EXPECT_EQ(served(0), addresses(endpoints(0, 40, 2)));
  expect_followable();
}

TEST_F(SyncFull, RingsAreSmallerBeforeAServiceIsRefusedAndGrowWhenThereIsRoom) {
  start({64, 64, 64, 256, 8 * LB_RING_MIN_SLOTS, 1u << 10});
  fill(4, 3);
  for (std::uint32_t number = 0; number < 4; ++number)
    EXPECT_EQ(served(number), addresses(endpoints(number, 3))) << number;
  EXPECT_EQ(entry(1).ring_slots, 512u) << "half of the arena is theirs";
  EXPECT_EQ(entry(3).ring_slots, 256u);
  ASSERT_TRUE(is_refused(port_of(name_of(3))));
  EXPECT_THAT(sync_->refused().at(port_of(name_of(3))).why.message, testing::HasSubstr("ring slots"));
  remove(name_of(0));
  remove(name_of(1));
  apply();
  advance(kLong);
  EXPECT_EQ(entry(2).ring_slots, 512u);
  EXPECT_EQ(entry(3).ring_slots, 512u);
  EXPECT_THAT(sync_->refused(), IsEmpty());
}

// As a build that kept no reserve has left it.
TEST_F(SyncFull, AnArenaThatIsWhollyTakenIsRecoveredFrom) {
  start({64, 64, 64, 256, 16 * LB_RING_MIN_SLOTS, 1u << 10});
  fill(4, 3);
  ASSERT_THAT(sync_->refused(), IsEmpty());
  const state::Limits full{64, 64, 64, 256, 8 * LB_RING_MIN_SLOTS, 1u << 10};
  put_endpoints(name_of(1), endpoints(1, 3, 2));
  start(full, sync_->placement().next_generation(), sync_->actual());
  advance(2 * kLong);
  EXPECT_EQ(served(1), addresses(endpoints(1, 3, 2)));
  change(2, endpoints(2, 3, 2));
  advance(kLong);
  EXPECT_EQ(served(2), addresses(endpoints(2, 3, 2)));
  EXPECT_EQ(served(0), addresses(endpoints(0, 3)));
  expect_followable();
}

TEST_F(SyncFull, AServiceAllOfWhoseEndpointsChangeFitsWhereTheyFit) {
  start({64, 64, 64, 9, 1u << 16, 1u << 10});
  fill(1, 8);
  change(0, endpoints(0, 8, 100));
  EXPECT_EQ(served(0), addresses(endpoints(0, 1, 100))) << "what there is room for";
  expect_followable();
  advance(kLong);
  EXPECT_EQ(served(0), addresses(endpoints(0, 8, 100)));
  EXPECT_THAT(sync_->refused(), IsEmpty());
}

TEST_F(SyncFull, AServiceThatOutgrowsTheMapFollowsThoseOfItsEndpointsThatFit) {
  start({64, 64, 64, 4, 1u << 16, 1u << 10});
  fill(1, 3);
  change(0, endpoints(0, 6, 2));
  EXPECT_TRUE(is_refused(port_of(name_of(0)))) << "which is said";
  advance(kLong);
  EXPECT_THAT(served(0), SizeIs(4));
  EXPECT_FALSE(served(0).contains("10.0.0.1")) << "it has gone";
  expect_followable();
}

TEST_F(SyncFull, NewcomersLeaveRoomForChanges) {
  start({64, 64, 64, 16, 1u << 16, 1u << 10});
  fill(4, 4);
  EXPECT_FALSE(is_served(3));
  EXPECT_THAT(sync_->refused().at(port_of(name_of(3))).why.message,
              testing::HasSubstr("16 needed, the map holds 16, 2 of them for service ports that have some"));
  change(0, endpoints(0, 4, 3));
  EXPECT_EQ(served(0), addresses(endpoints(0, 4, 3)));
}

// Its endpoints do not wait for an address that does not fit.
TEST_F(SyncFull, AFrontendThatDoesNotFitKeepsNoEndpoints) {
  start({64, 2, 64, 64, 1u << 16, 1u << 10});
  fill(1, 3);
  put_service(0, 2);
  change(0, endpoints(0, 3, 2));
  EXPECT_TRUE(is_refused(port_of(name_of(0)))) << "which is said";
  EXPECT_EQ(served(0), addresses(endpoints(0, 3, 2)));
  expect_followable();
}

// 10,000 of 10 endpoints in both families, all for clients outside, and then every endpoint of 2,000 of them changes.
TEST_F(SyncFull, TheDefaultsHoldTenThousandServices) {
  const datapath::Sizes sizes = datapath::rounded({});
  state::Placement placement(
      {sizes.frontends, sizes.addresses, sizes.service_ports, sizes.backends, sizes.ring_slots, sizes.members}, 1);
  const auto put_all = [&](std::uint32_t services, std::uint32_t first_endpoint) {
    for (std::uint32_t number = 0; number < services; ++number)
      for (const std::uint8_t family : {LB_AF_INET, LB_AF_INET6}) {
        const auto fit = compile::put_what_fits(placement, large_cluster_port(number, family, first_endpoint), now_);
        ASSERT_TRUE(fit.served) << number << ": " << fit.lacking->message;
      }
  };
  put_all(10000, 0);
  EXPECT_LE(placement.usage().ring_slots, sizes.ring_slots - state::reserve(sizes.ring_slots));
  put_all(2000, 10);
}

}  // namespace
}  // namespace fairlead::daemon
