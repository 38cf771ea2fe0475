// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio.hpp>
#include <boost/json.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>
#include <sstream>

#include "tests/support/peer/peer.h"

namespace fairlead::peer {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::ip::tcp;
using asio::ip::udp;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kLongestLine = 1 << 20;

// A socket for both families shows IPv4 addresses as ::ffff:a.b.c.d.
asio::ip::address plain(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  return address;
}

// One thread runs it, so the count needs no lock.
class Server {
 public:
  explicit Server(std::string name) : name_(std::move(name)) {}

  template <class PeerEndpoint>
  std::string answer(const char* protocol, const PeerEndpoint& peer, const asio::ip::address& local,
                     std::uint16_t local_port, std::string_view request) {
    return json::serialize(json::object{{"server", name_},
                                        {"protocol", protocol},
                                        {"peer", plain(peer.address()).to_string()},
                                        {"peer_port", peer.port()},
                                        {"local", plain(local).to_string()},
                                        {"local_port", local_port},
                                        {"count", ++count_},
                                        {"echo", request}}) +
           "\n";
  }

  // For curl and browsers: its name alone.
  std::string page() {
    ++count_;
    return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " +
           std::to_string(name_.size() + 1) + "\r\n\r\n" + name_ + "\n";
  }

 private:
  std::string name_;
  std::uint64_t count_ = 0;
};

bool is_http(std::string_view request) {
  return request.ends_with(" HTTP/1.1\r") || request.ends_with(" HTTP/1.0\r");
}

// The rest of the request is read too: closing a socket with something unread in it would reset the connection.
asio::awaitable<void> answer_http(tcp::socket& socket, std::string& buffer, Server& server) {
  const auto [error, size] =
      co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer, kLongestLine), "\r\n\r\n", kNoThrow);
  if (error) co_return;
  const std::string page = server.page();
  co_await asio::async_write(socket, asio::buffer(page), kNoThrow);
}

// "push COUNT MILLISECONDS": so many lines, which number themselves, with a pause before each. The server speaks while
// its client listens.
bool is_push(std::string_view request) {
  return request.starts_with("push ");
}

asio::awaitable<void> push(tcp::socket& socket, std::string request) {
  unsigned count = 0, milliseconds = 0;
  std::istringstream(request.substr(5)) >> count >> milliseconds;
  asio::steady_timer pause(socket.get_executor());
  for (unsigned i = 0; i < count; ++i) {
    pause.expires_after(std::chrono::milliseconds(milliseconds));
    co_await pause.async_wait(kNoThrow);
    const std::string line = std::to_string(i) + "\n";
    const auto [failed, written] = co_await asio::async_write(socket, asio::buffer(line), kNoThrow);
    if (failed) co_return;
  }
}

asio::awaitable<void> converse(tcp::socket socket, Server& server) {
  boost::system::error_code gone;
  const tcp::endpoint peer = socket.remote_endpoint(gone);
  const tcp::endpoint local = socket.local_endpoint(gone);
  if (gone) co_return;

  std::string buffer;
  while (true) {
    const auto [error, size] =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer, kLongestLine), '\n', kNoThrow);
    if (error) co_return;
    const std::string_view request = std::string_view(buffer).substr(0, size - 1);
    if (is_http(request)) co_return co_await answer_http(socket, buffer, server);
    if (is_push(request)) co_return co_await push(socket, std::string(request));
    const std::string answer = server.answer("tcp", peer, local.address(), local.port(), request);
    buffer.erase(0, size);
    const auto [failed, written] = co_await asio::async_write(socket, asio::buffer(answer), kNoThrow);
    if (failed) co_return;
  }
}

asio::awaitable<void> accept_all(tcp::acceptor acceptor, Server& server) {
  while (true) {
    auto [error, socket] = co_await acceptor.async_accept(kNoThrow);
    if (error) continue;  // the client left before we came
    asio::co_spawn(acceptor.get_executor(), converse(std::move(socket), server), asio::detached);
  }
}

// Which of our addresses a datagram was sent to, and the reply's source: a server with several addresses that leaves
// the choice to the routing table answers from one that was never asked. Asio doesn't know of it.
struct Datagram {
  udp::endpoint peer;
  in6_pktinfo local6{};
  in_pktinfo local4{};
  std::size_t size = 0;

  asio::ip::address local() const {
    if (peer.protocol() == udp::v4()) return asio::ip::address_v4(ntohl(local4.ipi_addr.s_addr));
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &local6.ipi6_addr, bytes.size());
    return asio::ip::address_v6(bytes);
  }
};

class DatagramSocket {
 public:
  DatagramSocket(asio::io_context& context, const udp::endpoint& where) : socket_(context, where.protocol()) {
    const int on = 1;
    const bool v6 = where.protocol() == udp::v6();
    if (v6) socket_.set_option(asio::ip::v6_only(false));
    const int failed = v6 ? setsockopt(socket_.native_handle(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on))
                          : setsockopt(socket_.native_handle(), IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
    if (failed) throw boost::system::system_error(errno, boost::system::system_category(), "setsockopt");
    // A datagram that XDP has sent on is charged a page: the default would be full with some fifty, while this process
    // waits for a processor.
    const int bytes = 16 << 20;
    setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
    socket_.bind(where);
    socket_.non_blocking(true);
  }

  udp::socket& socket() { return socket_; }

  // False when there is none after all, as with a wrong checksum, or an error from an earlier reply.
  bool receive(Datagram& datagram, std::string& buffer) {
    alignas(cmsghdr) std::array<char, 256> control;
    iovec data{buffer.data(), buffer.size()};
    msghdr message = header(datagram, data);
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = recvmsg(socket_.native_handle(), &message, 0);
    if (size < 0) return false;
    datagram.peer.resize(message.msg_namelen);
    datagram.size = static_cast<std::size_t>(size);
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
      if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO)
        std::memcpy(&datagram.local6, CMSG_DATA(part), sizeof(datagram.local6));
      if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO)
        std::memcpy(&datagram.local4, CMSG_DATA(part), sizeof(datagram.local4));
    }
    return true;
  }

  // A reply that can't be sent is lost, as datagrams are.
  void reply(Datagram& to, std::string& answer) {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
    iovec data{answer.data(), answer.size()};
    msghdr message = header(to, data);
    message.msg_namelen = static_cast<socklen_t>(to.peer.size());
    message.msg_control = control.data();
    if (to.peer.protocol() == udp::v4()) {
      to.local4.ipi_ifindex = 0;
      to.local4.ipi_spec_dst = to.local4.ipi_addr;
      put(message, IPPROTO_IP, IP_PKTINFO, to.local4);
    } else {
      to.local6.ipi6_ifindex = 0;
      put(message, IPPROTO_IPV6, IPV6_PKTINFO, to.local6);
    }
    sendmsg(socket_.native_handle(), &message, 0);
  }

 private:
  static msghdr header(Datagram& datagram, iovec& data) {
    msghdr message{};
    message.msg_name = datagram.peer.data();
    message.msg_namelen = static_cast<socklen_t>(datagram.peer.capacity());
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    return message;
  }

  template <class Info>
  static void put(msghdr& message, int level, int type, const Info& info) {
    message.msg_controllen = CMSG_SPACE(sizeof(info));
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = level;
    part->cmsg_type = type;
    part->cmsg_len = CMSG_LEN(sizeof(info));
    std::memcpy(CMSG_DATA(part), &info, sizeof(info));
  }

  udp::socket socket_;
};

asio::awaitable<void> answer_datagrams(DatagramSocket socket, Server& server) {
  const std::uint16_t port = socket.socket().local_endpoint().port();
  std::string buffer(65536, '\0');
  while (true) {
    co_await socket.socket().async_wait(udp::socket::wait_read, kNoThrow);
    Datagram datagram;
    if (!socket.receive(datagram, buffer)) continue;
    std::string_view request(buffer.data(), datagram.size);
    if (request.ends_with('\n')) request.remove_suffix(1);
    std::string answer = server.answer("udp", datagram.peer, datagram.local(), port, request);
    socket.reply(datagram, answer);
  }
}

tcp::acceptor listen_on(asio::io_context& context, const tcp::endpoint& where) {
  tcp::acceptor acceptor(context, where.protocol());
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  if (where.protocol() == tcp::v6()) acceptor.set_option(asio::ip::v6_only(false));
  acceptor.bind(where);
  acceptor.listen();
  return acceptor;
}

}  // namespace

int serve(const ServeOptions& options) {
  asio::io_context context(1);
  asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code&, int) { context.stop(); });

  Server server(options.name);
  for (const Endpoint& where : options.tcp)
    asio::co_spawn(context, accept_all(listen_on(context, {where.address, where.port}), server), asio::detached);
  for (const Endpoint& where : options.udp)
    asio::co_spawn(context, answer_datagrams(DatagramSocket(context, {where.address, where.port}), server),
                   asio::detached);
  std::cout << "ready " << options.name << std::endl;
  context.run();
  return 0;
}

}  // namespace fairlead::peer
