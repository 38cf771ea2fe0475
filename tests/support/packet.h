// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "userspace/util/address.h"

namespace fairlead::test {

using Bytes = std::vector<std::uint8_t>;
using Mac = std::array<std::uint8_t, 6>;

constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16;

// A frame as a person would describe it. build() makes its bytes, with every length and checksum right; dissect() reads
// them back and checks that they are. Tests change a field of what they sent and expect to find exactly that.
struct Packet {
  Mac dmac{2, 0, 0, 0, 1, 1}, smac{2, 0, 0, 0, 0, 2};
  std::optional<std::uint16_t> vlan;  // the tag: priority and id
  Address src, dst;                   // the family decides the rest
  std::uint8_t ttl = 64;
  std::uint16_t ip_id = 0x1234;
  bool dont_fragment = false;
  Bytes ip_options;  // IPv4: a multiple of 4 bytes
  Bytes extension;   // IPv6: one destination options header, complete, a multiple of 8 bytes
  bool more_fragments = false;
  std::uint16_t fragment_offset = 0;  // in bytes; > 0: there is no layer 4 header, payload is what the fragment carries
  std::uint8_t proto = 6;             // TCP, UDP, ICMP (1) or ICMPv6 (58)
  std::uint16_t sport = 0, dport = 0;
  std::uint8_t tcp_flags = kAck;
  std::uint32_t seq = 1000, ack = 2000;
  bool udp_checksum = true;  // false: sent as 0, "none"
  std::uint8_t icmp_type = 0, icmp_code = 0;
  std::uint32_t icmp_rest = 0;
  Bytes payload;

  bool operator==(const Packet&) const = default;

  bool is_ipv4() const { return src.family == Family::IPv4; }
};

// A TCP or UDP packet between these.
Packet tcp(const std::string& src, std::uint16_t sport, const std::string& dst, std::uint16_t dport,
           std::uint8_t flags = kAck);
Packet udp(const std::string& src, std::uint16_t sport, const std::string& dst, std::uint16_t dport,
           Bytes payload = {1, 2, 3});
// An ICMP error of this type and code from src to dst, about `quoted`: its IP header and `quoted_l4` bytes behind it.
Packet icmp_error(const std::string& src, const std::string& dst, std::uint8_t type, std::uint8_t code,
                  const Packet& quoted, std::size_t quoted_l4 = 8);

Bytes build(const Packet& packet);

// What a frame is, or what is wrong with it: a truncated or contradictory header, a checksum that does not fit.
struct Dissected {
  Packet packet;
  std::string error;
};
Dissected dissect(const Bytes& frame);

// The packet that an ICMP error quotes, from its payload; only headers, and without its checksums being checked beyond
// IPv4's own.
Dissected dissect_quoted(const Packet& error);

// For failure messages: one line.
std::string to_string(const Packet& packet);

}  // namespace fairlead::test
