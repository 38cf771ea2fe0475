// SPDX-License-Identifier: Apache-2.0
#include "tests/support/packet.h"

#include <algorithm>
#include <sstream>

namespace fairlead::test {
namespace {

constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kFragment = 44, kIcmpV6 = 58, kDestinationOptions = 60;

void put16(Bytes& bytes, std::uint32_t value) {
  bytes.push_back(static_cast<std::uint8_t>(value >> 8));
  bytes.push_back(static_cast<std::uint8_t>(value));
}
void put32(Bytes& bytes, std::uint32_t value) {
  put16(bytes, value >> 16);
  put16(bytes, value & 0xffff);
}
void append(Bytes& bytes, const Bytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}
void put_address(Bytes& bytes, const Address& address) {
  bytes.insert(bytes.end(), address.bytes.begin(), address.bytes.begin() + (address.family == Family::IPv4 ? 4 : 16));
}
std::uint16_t get16(const Bytes& bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}
std::uint32_t get32(const Bytes& bytes, std::size_t at) {
  return static_cast<std::uint32_t>(get16(bytes, at)) << 16 | get16(bytes, at + 2);
}
Address get_address(const Bytes& bytes, std::size_t at, Family family) {
  Address address;
  address.family = family;
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), family == Family::IPv4 ? 4 : 16, address.bytes.begin());
  return address;
}
void set16(Bytes& bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

// RFC 1071, the slow and plain way.
std::uint32_t sum(const Bytes& bytes, std::uint32_t start = 0) {
  std::uint32_t total = start;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    total += static_cast<std::uint32_t>(bytes[i]) << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0);
    total = (total & 0xffff) + (total >> 16);
  }
  return total;
}
std::uint16_t checksum(const Bytes& bytes, std::uint32_t start = 0) {
  return static_cast<std::uint16_t>(~sum(bytes, start));
}

std::uint32_t pseudo_header(const Packet& packet, std::size_t length) {
  if (packet.proto == kIcmp) return 0;
  Bytes bytes;
  put_address(bytes, packet.src);
  put_address(bytes, packet.dst);
  put32(bytes, static_cast<std::uint32_t>(length));
  put32(bytes, packet.proto);
  return sum(bytes);
}

std::size_t checksum_offset(std::uint8_t proto) {
  return proto == kTcp ? 16 : proto == kUdp ? 6 : 2;
}

Bytes layer4(const Packet& packet) {
  if (packet.fragment_offset) return packet.payload;
  Bytes bytes;
  if (packet.proto == kTcp) {
    put16(bytes, packet.sport);
    put16(bytes, packet.dport);
    put32(bytes, packet.seq);
    put32(bytes, packet.ack);
    bytes.push_back(5 << 4);
    bytes.push_back(packet.tcp_flags);
    put16(bytes, 65535);
    put32(bytes, 0);
  } else if (packet.proto == kUdp) {
    put16(bytes, packet.sport);
    put16(bytes, packet.dport);
    put16(bytes, static_cast<std::uint32_t>(8 + packet.payload.size()));
    put16(bytes, 0);
  } else if (packet.proto == kIcmp || packet.proto == kIcmpV6) {
    bytes.push_back(packet.icmp_type);
    bytes.push_back(packet.icmp_code);
    put16(bytes, 0);
    put32(bytes, packet.icmp_rest);
  }
  append(bytes, packet.payload);
  const bool known = packet.proto == kTcp || packet.proto == kUdp || packet.proto == kIcmp || packet.proto == kIcmpV6;
  if (!known || (packet.proto == kUdp && !packet.udp_checksum)) return bytes;
  std::uint16_t check = checksum(bytes, pseudo_header(packet, bytes.size()));
  if (packet.proto == kUdp && check == 0) check = 0xffff;
  set16(bytes, checksum_offset(packet.proto), check);
  return bytes;
}

void put_ipv4(Bytes& bytes, const Packet& packet, std::size_t l4_length) {
  Bytes header;
  const std::size_t length = 20 + packet.ip_options.size();
  header.push_back(static_cast<std::uint8_t>(0x40 | length / 4));
  header.push_back(0);
  put16(header, static_cast<std::uint32_t>(length + l4_length));
  put16(header, packet.ip_id);
  put16(header,
        (packet.dont_fragment ? 0x4000u : 0) | (packet.more_fragments ? 0x2000u : 0) | packet.fragment_offset / 8u);
  header.push_back(packet.ttl);
  header.push_back(packet.proto);
  put16(header, 0);
  put_address(header, packet.src);
  put_address(header, packet.dst);
  append(header, packet.ip_options);
  set16(header, 10, checksum(header));
  append(bytes, header);
}

void put_ipv6(Bytes& bytes, const Packet& packet, std::size_t l4_length) {
  const bool fragment = packet.more_fragments || packet.fragment_offset;
  put32(bytes, 0x60000000);
  put16(bytes, static_cast<std::uint32_t>(packet.extension.size() + (fragment ? 8 : 0) + l4_length));
  bytes.push_back(!packet.extension.empty() ? kDestinationOptions : fragment ? kFragment : packet.proto);
  bytes.push_back(packet.ttl);
  put_address(bytes, packet.src);
  put_address(bytes, packet.dst);
  if (!packet.extension.empty()) {
    Bytes extension = packet.extension;
    extension[0] = fragment ? kFragment : packet.proto;
    extension[1] = static_cast<std::uint8_t>(extension.size() / 8 - 1);
    append(bytes, extension);
  }
  if (!fragment) return;
  bytes.push_back(packet.proto);
  bytes.push_back(0);
  put16(bytes, packet.fragment_offset | (packet.more_fragments ? 1u : 0));
  put32(bytes, packet.ip_id);
}

// Reads a frame, keeping the first thing that is wrong with it.
class Dissector {
 public:
  Dissector(const Bytes& bytes, bool checks) : bytes_(bytes), checks_(checks) {}

  Dissected dissect_ethernet() {
    if (!need(14)) return result();
    std::copy_n(bytes_.begin(), 6, packet_.dmac.begin());
    std::copy_n(bytes_.begin() + 6, 6, packet_.smac.begin());
    std::uint16_t type = get16(bytes_, 12);
    at_ = 14;
    if (type == 0x8100 && need(4)) {
      packet_.vlan = get16(bytes_, 14);
      type = get16(bytes_, 16);
      at_ = 18;
    }
    if (type == 0x0800) return dissect_ipv4();
    if (type == 0x86dd) return dissect_ipv6();
    wrong("not IP");
    return result();
  }

  Dissected dissect_ip() { return !bytes_.empty() && bytes_[0] >> 4 == 4 ? dissect_ipv4() : dissect_ipv6(); }

 private:
  Dissected dissect_ipv4() {
    if (!need(20)) return result();
    const std::size_t header = (bytes_[at_] & 15) * 4u;
    const std::uint16_t total = get16(bytes_, at_ + 2), fragment = get16(bytes_, at_ + 6);
    if (bytes_[at_] >> 4 != 4 || header < 20 || !need(header)) return wrong("bad IPv4 header"), result();
    packet_.ip_id = get16(bytes_, at_ + 4);
    packet_.dont_fragment = fragment & 0x4000;
    packet_.more_fragments = fragment & 0x2000;
    packet_.fragment_offset = static_cast<std::uint16_t>((fragment & 0x1fff) * 8);
    packet_.ttl = bytes_[at_ + 8];
    packet_.proto = bytes_[at_ + 9];
    packet_.src = get_address(bytes_, at_ + 12, Family::IPv4);
    packet_.dst = get_address(bytes_, at_ + 16, Family::IPv4);
    packet_.ip_options.assign(bytes_.begin() + static_cast<std::ptrdiff_t>(at_ + 20),
                              bytes_.begin() + static_cast<std::ptrdiff_t>(at_ + header));
    const Bytes bytes(bytes_.begin() + static_cast<std::ptrdiff_t>(at_),
                      bytes_.begin() + static_cast<std::ptrdiff_t>(at_ + header));
    if (sum(bytes) != 0xffff) wrong("IPv4 header checksum");
    end_ = at_ + total;
    at_ += header;
    return dissect_l4();
  }

  Dissected dissect_ipv6() {
    if (!need(40)) return result();
    if (bytes_[at_] >> 4 != 6) return wrong("bad IPv6 header"), result();
    end_ = at_ + 40 + get16(bytes_, at_ + 4);
    packet_.proto = bytes_[at_ + 6];
    packet_.ttl = bytes_[at_ + 7];
    packet_.src = get_address(bytes_, at_ + 8, Family::IPv6);
    packet_.dst = get_address(bytes_, at_ + 24, Family::IPv6);
    at_ += 40;
    if (packet_.proto == kDestinationOptions && need(8)) {
      const std::size_t length = (bytes_[at_ + 1] + 1u) * 8;
      if (!need(length)) return result();
      packet_.proto = bytes_[at_];
      packet_.extension.assign(bytes_.begin() + static_cast<std::ptrdiff_t>(at_),
                               bytes_.begin() + static_cast<std::ptrdiff_t>(at_ + length));
      // As build() takes it: the next header and the length are filled in there.
      packet_.extension[0] = packet_.extension[1] = 0;
      at_ += length;
    }
    if (packet_.proto == kFragment && need(8)) {
      packet_.proto = bytes_[at_];
      packet_.fragment_offset = get16(bytes_, at_ + 2) & 0xfff8;
      packet_.more_fragments = get16(bytes_, at_ + 2) & 1;
      packet_.ip_id = static_cast<std::uint16_t>(get32(bytes_, at_ + 4));
      at_ += 8;
    }
    return dissect_l4();
  }

  Dissected dissect_l4() {
    if (checks_ && end_ > bytes_.size()) return wrong("IP length exceeds the frame"), result();
    end_ = std::min(end_, bytes_.size());
    if (at_ > end_) return wrong("IP length below its header"), result();
    const std::size_t start = at_;
    if (!packet_.fragment_offset) dissect_transport();
    if (at_ <= end_)
      packet_.payload.assign(bytes_.begin() + static_cast<std::ptrdiff_t>(at_),
                             bytes_.begin() + static_cast<std::ptrdiff_t>(end_));
    if (checks_ && !packet_.fragment_offset && !packet_.more_fragments) check_l4(start);
    return result();
  }

  void dissect_transport() {
    if (packet_.proto == kTcp || packet_.proto == kUdp) {
      if (!need(packet_.proto == kTcp && checks_ ? 20 : 8)) return;
      packet_.sport = get16(bytes_, at_);
      packet_.dport = get16(bytes_, at_ + 2);
      if (packet_.proto == kUdp) packet_.udp_checksum = get16(bytes_, at_ + 6) != 0;
      if (packet_.proto == kTcp) packet_.seq = get32(bytes_, at_ + 4);
      if (packet_.proto == kTcp && at_ + 20 <= bytes_.size()) {
        packet_.ack = get32(bytes_, at_ + 8);
        packet_.tcp_flags = bytes_[at_ + 13];
      }
      at_ += packet_.proto == kUdp || at_ + 20 > bytes_.size() ? 8 : 20;
    } else if (packet_.proto == kIcmp || packet_.proto == kIcmpV6) {
      if (!need(8)) return;
      packet_.icmp_type = bytes_[at_];
      packet_.icmp_code = bytes_[at_ + 1];
      packet_.icmp_rest = get32(bytes_, at_ + 4);
      at_ += 8;
    }
  }

  void check_l4(std::size_t start) {
    const Bytes bytes(bytes_.begin() + static_cast<std::ptrdiff_t>(start),
                      bytes_.begin() + static_cast<std::ptrdiff_t>(end_));
    if (packet_.proto == kUdp && bytes.size() >= 6 && get16(bytes, 4) != bytes.size()) wrong("UDP length");
    if (packet_.proto == kUdp && !packet_.udp_checksum) return;
    if (packet_.proto != kTcp && packet_.proto != kUdp && packet_.proto != kIcmp && packet_.proto != kIcmpV6) return;
    if (sum(bytes, pseudo_header(packet_, bytes.size())) != 0xffff) wrong("layer 4 checksum");
  }

  bool need(std::size_t length) {
    if (at_ + length <= bytes_.size()) return true;
    wrong("truncated");
    return false;
  }
  void wrong(const std::string& what) {
    if (error_.empty()) error_ = what;
  }
  Dissected result() const { return {packet_, error_}; }

  const Bytes& bytes_;
  bool checks_;
  std::size_t at_ = 0, end_ = 0;
  Packet packet_;
  std::string error_;
};

Packet between(const std::string& src, std::uint16_t sport, const std::string& dst, std::uint16_t dport,
               std::uint8_t proto) {
  Packet packet;
  packet.src = Address::literal(src);
  packet.dst = Address::literal(dst);
  packet.sport = sport;
  packet.dport = dport;
  packet.proto = proto;
  // What dissect() cannot see stays at what it reads.
  if (!packet.is_ipv4()) packet.ip_id = Packet().ip_id;
  return packet;
}

}  // namespace

Packet tcp(const std::string& src, std::uint16_t sport, const std::string& dst, std::uint16_t dport,
           std::uint8_t flags) {
  Packet packet = between(src, sport, dst, dport, kTcp);
  packet.tcp_flags = flags;
  return packet;
}

Packet udp(const std::string& src, std::uint16_t sport, const std::string& dst, std::uint16_t dport, Bytes payload) {
  Packet packet = between(src, sport, dst, dport, kUdp);
  packet.payload = std::move(payload);
  return packet;
}

Packet icmp_error(const std::string& src, const std::string& dst, std::uint8_t type, std::uint8_t code,
                  const Packet& quoted, std::size_t quoted_l4) {
  Packet packet = between(src, 0, dst, 0, quoted.is_ipv4() ? kIcmp : kIcmpV6);
  packet.icmp_type = type;
  packet.icmp_code = code;
  const Bytes frame = build(quoted);
  const std::size_t l2 = quoted.vlan ? 18 : 14;
  const std::size_t l3 = quoted.is_ipv4() ? 20 + quoted.ip_options.size() : 40 + quoted.extension.size();
  const std::size_t end = std::min(frame.size(), l2 + l3 + quoted_l4);
  packet.payload.assign(frame.begin() + static_cast<std::ptrdiff_t>(l2),
                        frame.begin() + static_cast<std::ptrdiff_t>(end));
  return packet;
}

Bytes build(const Packet& packet) {
  Bytes bytes(packet.dmac.begin(), packet.dmac.end());
  bytes.insert(bytes.end(), packet.smac.begin(), packet.smac.end());
  if (packet.vlan) {
    put16(bytes, 0x8100);
    put16(bytes, *packet.vlan);
  }
  put16(bytes, packet.is_ipv4() ? 0x0800 : 0x86dd);
  const Bytes l4 = layer4(packet);
  if (packet.is_ipv4())
    put_ipv4(bytes, packet, l4.size());
  else
    put_ipv6(bytes, packet, l4.size());
  append(bytes, l4);
  return bytes;
}

Dissected dissect(const Bytes& frame) {
  return Dissector(frame, true).dissect_ethernet();
}

Dissected dissect_quoted(const Packet& error) {
  return Dissector(error.payload, false).dissect_ip();
}

std::string to_string(const Packet& packet) {
  std::ostringstream out;
  out << endpoint_text(packet.src, packet.sport) << " > " << endpoint_text(packet.dst, packet.dport) << " proto "
      << static_cast<int>(packet.proto) << " ttl " << static_cast<int>(packet.ttl);
  if (packet.proto == kTcp)
    out << " flags " << static_cast<int>(packet.tcp_flags) << " seq " << packet.seq << " ack " << packet.ack;
  if (packet.proto == kIcmp || packet.proto == kIcmpV6)
    out << " type " << static_cast<int>(packet.icmp_type) << " code " << static_cast<int>(packet.icmp_code);
  if (packet.more_fragments || packet.fragment_offset)
    out << " fragment at " << packet.fragment_offset << (packet.more_fragments ? "+" : "");
  if (packet.vlan) out << " vlan " << *packet.vlan;
  out << " payload " << packet.payload.size() << " dmac ..:" << static_cast<int>(packet.dmac[5])
      << " smac ..:" << static_cast<int>(packet.smac[5]);
  return out.str();
}

}  // namespace fairlead::test
