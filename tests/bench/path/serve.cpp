// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/path/serve.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <iostream>
#include <unordered_map>
#include <vector>

#include "tests/bench/path/socket.h"

namespace fairlead::bench {
namespace {

constexpr std::uint64_t kDatagrams = kPorts;  // the id of their socket; those of listeners are their ports'
constexpr std::size_t kChunk = 256 * 1024;

class Server {
 public:
  explicit Server(std::uint16_t first) : datagrams_(listen_at(SOCK_DGRAM, first)), chunk_(kChunk) {
    poll_.watch(datagrams_.get(), EPOLLIN, kDatagrams);
    for (std::uint16_t port = 0; port < kPorts; ++port) {
      listeners_.push_back(listen_at(SOCK_STREAM, static_cast<std::uint16_t>(first + port)));
      poll_.watch(listeners_.back().get(), EPOLLIN, port);
    }
  }

  void run_once() {
    poll_.run_once([this](std::uint64_t id, std::uint32_t) {
      if (id == kDatagrams)
        answer_datagrams();
      else if (id < kPorts)
        accept_from(static_cast<Port>(id));
      else
        serve(static_cast<int>(id - kDatagrams - 1));
    });
  }

 private:
  struct Connection {
    Fd socket;
    Port port;
  };

  void answer_datagrams() {
    std::array<char, kMessage> message;
    sockaddr_in6 from{};
    socklen_t length = sizeof(from);
    ssize_t size = 0;
    while ((size = recvfrom(datagrams_.get(), message.data(), message.size(), 0, reinterpret_cast<sockaddr*>(&from),
                            &length)) >= 0)
      sendto(datagrams_.get(), message.data(), static_cast<std::size_t>(size), 0, reinterpret_cast<sockaddr*>(&from),
             length);
  }

  void accept_from(Port port) {
    while (true) {
      Fd socket(accept4(listeners_[port].get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket) return;
      const int number = socket.get(), on = 1;
      setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      poll_.watch(number, port == kSource ? EPOLLOUT : EPOLLIN, static_cast<std::uint64_t>(number) + kDatagrams + 1);
      connections_[number] = {std::move(socket), port};
    }
  }

  void serve(int number) {
    const auto it = connections_.find(number);
    if (it != connections_.end() && !goes_on(it->second)) connections_.erase(it);
  }

  bool goes_on(const Connection& connection) {
    const int number = connection.socket.get();
    if (connection.port == kSource) return send(number, chunk_.data(), chunk_.size(), MSG_NOSIGNAL) > 0;
    const ssize_t size = recv(number, chunk_.data(), chunk_.size(), 0);
    if (size <= 0) return false;
    if (connection.port == kSink) return true;
    send(number, chunk_.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL);
    return connection.port == kAnswer;
  }

  Poll poll_;
  Fd datagrams_;
  std::vector<Fd> listeners_;
  std::unordered_map<int, Connection> connections_;
  std::vector<char> chunk_;
};

}  // namespace

void serve(std::uint16_t first_port) {
  Server server(first_port);
  std::cout << "serving" << std::endl;
  while (true)
    server.run_once();
}

}  // namespace fairlead::bench
