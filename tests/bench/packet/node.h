// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "tests/bench/packet/driver.h"
#include "userspace/datapath/object.h"
#include "userspace/util/address.h"

namespace fairlead::bench {

// The node that packets are measured on: a network namespace of this process's own with one uplink, kDevice, and behind
// it a next hop whose MAC address is known. Nothing is sent to kDevice but what the benchmark sends.
inline constexpr const char* kDevice = "bench0";
inline constexpr std::array<std::uint8_t, 6> kDeviceMac{2, 0, 0, 0, 0, 1};
inline constexpr const char* kPeer = "bench1";
void make_node();

struct Addresses {
  Address vip_local, vip_remote, pod_local, pod_remote, node, other;
};
const Addresses& addresses(Family family);

// The loaded programs and, in their maps, one service with backends here and one with backends elsewhere, for each
// family. flows is what the tables are made for; they hold four times as many.
std::unique_ptr<datapath::Object> load(std::uint32_t flows);

// Time goes on, for the flow table of this object.
void pass(datapath::Object& object, std::uint32_t seconds);

bench_tuple tuple(const Address& src, std::uint16_t sport, const Address& dst, std::uint16_t dport);

// This many clients of a VIP, each with another source.
std::vector<bench_tuple> clients(const Address& vip, std::uint32_t count);

// What the backends answer to, read out of the flow table: in the order of the clients' tuples.
std::vector<bench_tuple> replies(const datapath::Object& object, const std::vector<bench_tuple>& forward,
                                 Family family);

}  // namespace fairlead::bench
