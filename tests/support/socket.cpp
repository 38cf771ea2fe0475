// SPDX-License-Identifier: Apache-2.0
#include "tests/support/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>

namespace fairlead::test {
namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress to_socket_address(const Endpoint& endpoint) {
  SocketAddress result;
  if (endpoint.address.family == Family::IPv4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, endpoint.address.bytes.data(), sizeof(v4.sin_addr));
    std::memcpy(&result.storage, &v4, sizeof(v4));
    result.size = sizeof(v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, endpoint.address.bytes.data(), sizeof(v6.sin6_addr));
    std::memcpy(&result.storage, &v6, sizeof(v6));
    result.size = sizeof(v6);
  }
  return result;
}

Endpoint to_endpoint(const SocketAddress& from) {
  Endpoint endpoint;
  if (from.storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &from.storage, sizeof(v4));
    endpoint.port = ntohs(v4.sin_port);
    std::memcpy(endpoint.address.bytes.data(), &v4.sin_addr, sizeof(v4.sin_addr));
  } else {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &from.storage, sizeof(v6));
    endpoint.address.family = Family::IPv6;
    endpoint.port = ntohs(v6.sin6_port);
    std::memcpy(endpoint.address.bytes.data(), &v6.sin6_addr, sizeof(v6.sin6_addr));
  }
  return endpoint;
}

// The kernel says EAGAIN (EINPROGRESS for connect) when a socket's time limit passes.
Error socket_error(const std::string& operation, const std::string& object) {
  const int code = errno == EAGAIN || errno == EINPROGRESS ? ETIMEDOUT : errno;
  return make_error(operation, object, code);
}

Result<Fd> make_socket(Transport transport, const Endpoint& on, const std::optional<Endpoint>& local) {
  const int type = transport == Transport::Tcp ? SOCK_STREAM : SOCK_DGRAM;
  Fd fd(socket(static_cast<int>(on.address.family), type | SOCK_CLOEXEC, 0));
  if (!fd) return socket_error("make a socket for", on.to_string());
  if (!local) return fd;
  const int on_flag = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on_flag, sizeof(on_flag));
  Endpoint bound = *local;
  bound.address.family = on.address.family;
  SocketAddress address = to_socket_address(bound);
  if (bind(fd.get(), address.get(), address.size) != 0) return socket_error("bind", bound.to_string());
  return fd;
}

void set_patience(const Fd& socket, std::chrono::milliseconds patience) {
  const timeval limit{patience.count() / 1000, (patience.count() % 1000) * 1000};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

// Without this a UDP socket is told of closed ports only, not of unreachable hosts.
void hear_all_errors(const Fd& socket) {
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
  setsockopt(socket.get(), IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
}

bool is_stream(const Fd& socket) {
  int type = 0;
  socklen_t size = sizeof(type);
  return getsockopt(socket.get(), SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

}  // namespace

Result<Fd> connect_to(Transport transport, const Endpoint& to, std::optional<Endpoint> from,
                      std::chrono::milliseconds patience) {
  auto fd = make_socket(transport, to, from);
  if (!fd) return fd;
  set_patience(*fd, patience);
  if (transport == Transport::Udp) hear_all_errors(*fd);
  SocketAddress address = to_socket_address(to);
  if (connect(fd->get(), address.get(), address.size) != 0) return socket_error("connect to", to.to_string());
  return fd;
}

Result<Fd> listen_at(Transport transport, const Endpoint& where) {
  auto fd = make_socket(transport, where, where);
  if (!fd) return fd;
  set_patience(*fd, kPatience);
  if (transport == Transport::Tcp && listen(fd->get(), SOMAXCONN) != 0)
    return socket_error("listen at", where.to_string());
  return fd;
}

Result<Fd> accept_at(const Fd& listener) {
  Fd accepted(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!accepted) return socket_error("accept", "a connection");
  set_patience(accepted, kPatience);
  return accepted;
}

Result<std::string> receive_line(const Fd& socket) {
  const bool stream = is_stream(socket);
  std::string received;
  do {
    char buffer[65536];
    const ssize_t size = recv(socket.get(), buffer, sizeof(buffer), 0);
    if (size < 0) return socket_error("receive from", "the peer");
    if (size == 0 && stream) return Error{"the peer closed the connection", 0};
    received.append(buffer, static_cast<std::size_t>(size));
  } while (stream && !received.ends_with('\n'));
  if (received.ends_with('\n')) received.pop_back();
  return received;
}

Result<> send_line(const Fd& socket, std::string_view line) {
  const std::string whole = std::string(line) + (is_stream(socket) ? "\n" : "");
  if (send(socket.get(), whole.data(), whole.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(whole.size()))
    return socket_error("send to", "the peer");
  return {};
}

Result<std::string> exchange(const Fd& socket, std::string_view request) {
  if (auto sent = send_line(socket, request); !sent) return sent.error();
  return receive_line(socket);
}

Result<Endpoint> local_endpoint(const Fd& socket) {
  SocketAddress address;
  if (getsockname(socket.get(), address.get(), &address.size) != 0) return socket_error("ask", "a socket's address");
  return to_endpoint(address);
}

}  // namespace fairlead::test
