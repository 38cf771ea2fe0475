// SPDX-License-Identifier: Apache-2.0
#include "tests/support/peer/attempt.h"

#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <type_traits>

#include "tests/support/peer/exchange.h"

namespace fairlead::peer {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using Clock = std::chrono::steady_clock;
using boost::system::error_code;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

struct IcmpName {
  std::uint8_t origin, type, code;
  const char* name;
};

// The same words for both families where they mean the same.
constexpr IcmpName kIcmpNames[] = {
    {SO_EE_ORIGIN_ICMP, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, "port-unreachable"},
    {SO_EE_ORIGIN_ICMP, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, "host-unreachable"},
    {SO_EE_ORIGIN_ICMP, ICMP_DEST_UNREACH, ICMP_NET_UNREACH, "net-unreachable"},
    {SO_EE_ORIGIN_ICMP, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, "prohibited"},
    {SO_EE_ORIGIN_ICMP, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, "hops-exceeded"},
    {SO_EE_ORIGIN_ICMP6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, "port-unreachable"},
    {SO_EE_ORIGIN_ICMP6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR, "host-unreachable"},
    {SO_EE_ORIGIN_ICMP6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE, "net-unreachable"},
    {SO_EE_ORIGIN_ICMP6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN, "prohibited"},
    {SO_EE_ORIGIN_ICMP6, ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_TRANSIT, "hops-exceeded"},
};

std::string name_of(const sock_extended_err& error) {
  for (const IcmpName& known : kIcmpNames)
    if (known.origin == error.ee_origin && known.type == error.ee_type && known.code == error.ee_code)
      return known.name;
  return std::to_string(error.ee_type) + "/" + std::to_string(error.ee_code);
}

std::string sender_of(const sock_extended_err& error) {
  const auto* sender = reinterpret_cast<const char*>(&error + 1);
  sa_family_t family = AF_UNSPEC;
  std::memcpy(&family, sender, sizeof(family));
  if (family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, sender, sizeof(address));
    return asio::ip::address_v4(ntohl(address.sin_addr.s_addr)).to_string();
  }
  if (family != AF_INET6) return "?";
  sockaddr_in6 address{};
  std::memcpy(&address, sender, sizeof(address));
  asio::ip::address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
  return asio::ip::address_v6(bytes).to_string();
}

// The ICMP error that a socket heard, if it heard one.
std::optional<std::string> heard_icmp(int socket) {
  alignas(cmsghdr) std::array<char, 512> control{};
  msghdr message{};
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return std::nullopt;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    const bool is_error = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                          (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);
    if (!is_error) continue;
    const auto& error = *reinterpret_cast<const sock_extended_err*>(CMSG_DATA(part));
    if (error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6)
      return "icmp-" + name_of(error) + " from " + sender_of(error);
  }
  return std::nullopt;
}

enum class Stage { kConnect, kExchange };

struct Reached {
  Outcome outcome;
  Stage stage = Stage::kConnect;
  bool at_once = false;  // connect() itself failed
};

std::string describe(int socket, const Reached& reached) {
  const error_code error = reached.outcome.error;
  if (const auto icmp = heard_icmp(socket)) return *icmp;
  if (error == boost::system::errc::timed_out)
    return reached.stage == Stage::kConnect ? "silence" : "silence after connect";
  if (reached.at_once) return "connect(): " + error.message();
  const std::string text = error == asio::error::connection_refused ? "rst" : error.message();
  return reached.stage == Stage::kConnect ? text : text + " after connect";
}

// An event from before connect() wakes up too.
bool is_decided(int socket) {
  pollfd watched{socket, POLLOUT, 0};
  return poll(&watched, 1, 0) == 1;
}

// Not async_connect, which hides whether it was connect() that failed: then no packet was sent.
template <class Socket>
asio::awaitable<Outcome> reach(Socket& socket, typename Socket::endpoint_type remote, Reached& reached) {
  if (::connect(socket.native_handle(), remote.data(), static_cast<socklen_t>(remote.size())) != 0) {
    if (errno != EINPROGRESS) {
      reached.at_once = true;
      co_return Outcome{error_code(errno, boost::system::system_category()), {}, {}};
    }
    do {
      const auto [failed] = co_await socket.async_wait(Socket::wait_write, kNoThrow);
      if (failed) co_return Outcome{failed, {}, {}};
    } while (!is_decided(socket.native_handle()));
    int code = 0;
    socklen_t size = sizeof(code);
    getsockopt(socket.native_handle(), SOL_SOCKET, SO_ERROR, &code, &size);
    if (code != 0) co_return Outcome{error_code(code, boost::system::system_category()), {}, {}};
  }
  // Of a datagram socket connect() says nothing: what it is told later is as good as an answer to a SYN.
  if constexpr (std::is_same_v<Socket, tcp::socket>) reached.stage = Stage::kExchange;
  co_return co_await exchange(socket, "?");
}

template <class Protocol>
asio::awaitable<Attempt> attempt_by(Endpoint to, std::chrono::milliseconds timeout) {
  const typename Protocol::endpoint remote(to.address, to.port);
  typename Protocol::socket socket(co_await asio::this_coro::executor, remote.protocol());
  socket.native_non_blocking(true);
  hear_all_errors(socket.native_handle());
  // Thousands of closed connections would use up the ports.
  if constexpr (std::is_same_v<Protocol, tcp>) socket.set_option(asio::socket_base::linger(true, 0));
  const auto start = Clock::now();
  Reached reached;
  reached.outcome = co_await within(timeout, reach(socket, remote, reached));
  Attempt result;
  result.took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
  if (reached.outcome.error) {
    result.failure = describe(socket.native_handle(), reached);
  } else {
    result.answer =
        reached.outcome.server + ":" + std::to_string(reached.outcome.port) + " saw " + reached.outcome.seen_as;
  }
  co_return result;
}

}  // namespace

asio::awaitable<Attempt> attempt(Protocol protocol, Endpoint to, std::chrono::milliseconds timeout) {
  if (protocol == Protocol::Tcp) co_return co_await attempt_by<tcp>(to, timeout);
  co_return co_await attempt_by<udp>(to, timeout);
}

}  // namespace fairlead::peer
