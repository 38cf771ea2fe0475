// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <iostream>
#include <random>
#include <system_error>
#include <thread>

#include "tests/support/peer/peer.h"

// SYNs or questions from addresses that nobody has. IPv4 only.
namespace fairlead::peer {
namespace {

constexpr std::size_t kBatch = 64;
// 100.64.0.0/10, so that no answer reaches anybody.
constexpr std::uint32_t kSources = 0x64400000, kSourceMask = 0x003fffff;

std::atomic<bool> stopped{false};

struct Frame {
  iphdr ip;
  union {
    tcphdr tcp;
    udphdr udp;
  };
};

std::uint32_t sum(const void* data, std::size_t size, std::uint32_t start) {
  const auto* words = static_cast<const std::uint8_t*>(data);
  for (std::size_t i = 0; i + 1 < size; i += 2)
    start += static_cast<std::uint32_t>(words[i] << 8 | words[i + 1]);
  return start;
}

std::uint16_t fold(std::uint32_t sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  return htons(static_cast<std::uint16_t>(~(sum + (sum >> 16))));
}

class Generator {
 public:
  explicit Generator(const FloodOptions& options) : tcp_(options.protocol == Protocol::Tcp) {
    destination_ = htonl(options.to.address.to_v4().to_uint());
    port_ = htons(options.to.port);
  }

  std::size_t size() const { return sizeof(iphdr) + (tcp_ ? sizeof(tcphdr) : sizeof(udphdr)); }

  void make(Frame& frame) {
    frame = {};
    frame.ip.version = 4;
    frame.ip.ihl = 5;
    frame.ip.ttl = 64;
    frame.ip.protocol = tcp_ ? IPPROTO_TCP : IPPROTO_UDP;
    frame.ip.tot_len = htons(static_cast<std::uint16_t>(size()));
    frame.ip.saddr = htonl(kSources | (static_cast<std::uint32_t>(random_()) & kSourceMask));
    frame.ip.daddr = destination_;
    if (tcp_) {
      make_syn(frame.tcp);
      frame.tcp.check = checksum(frame);
    } else {
      make_question(frame.udp);
      frame.udp.check = checksum(frame);
    }
  }

  sockaddr_in to() const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = destination_;
    return address;
  }

 private:
  std::uint16_t source_port() { return htons(static_cast<std::uint16_t>(1024 + random_() % 60000)); }

  void make_syn(tcphdr& tcp) {
    tcp.source = source_port();
    tcp.dest = port_;
    tcp.seq = static_cast<std::uint32_t>(random_());
    tcp.doff = 5;
    tcp.syn = 1;
    tcp.window = htons(64240);
  }

  void make_question(udphdr& udp) {
    udp.source = source_port();
    udp.dest = port_;
    udp.len = htons(sizeof(udphdr));
  }

  std::uint16_t checksum(const Frame& frame) const {
    const auto length = static_cast<std::uint32_t>(size() - sizeof(iphdr));
    return fold(sum(&frame.tcp, length, sum(&frame.ip.saddr, 8, frame.ip.protocol + length)));
  }

  bool tcp_;
  std::uint32_t destination_;
  std::uint16_t port_;
  std::mt19937_64 random_{std::random_device{}()};
};

}  // namespace

int flood(const FloodOptions& options) {
  signal(SIGTERM, [](int) { stopped = true; });
  const int out = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (out < 0) throw std::system_error(errno, std::generic_category(), "a raw socket");
  Generator generator(options);
  sockaddr_in to = generator.to();
  std::array<Frame, kBatch> frames;
  std::array<iovec, kBatch> vectors{};
  std::array<mmsghdr, kBatch> messages{};
  for (std::size_t i = 0; i < kBatch; ++i) {
    vectors[i] = {&frames[i], generator.size()};
    messages[i].msg_hdr = {&to, sizeof(to), &vectors[i], 1, nullptr, 0, 0};
  }
  std::uint64_t sent = 0;
  const auto start = std::chrono::steady_clock::now();
  std::cout << "ready" << std::endl;
  while (!stopped) {
    for (Frame& frame : frames)
      generator.make(frame);
    const int went = sendmmsg(out, messages.data(), kBatch, 0);
    if (went < 0 && errno != EINTR && errno != ENOBUFS)
      throw std::system_error(errno, std::generic_category(), "cannot send");
    sent += static_cast<std::uint64_t>(std::max(went, 0));
    if (options.rate) std::this_thread::sleep_until(start + std::chrono::microseconds(sent * 1000000 / options.rate));
  }
  close(out);
  std::cout << sent << std::endl;
  return 0;
}

}  // namespace fairlead::peer
