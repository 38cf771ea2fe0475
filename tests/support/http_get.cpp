// SPDX-License-Identifier: Apache-2.0
#include "tests/support/http_get.h"

#include <sys/socket.h>

#include <cerrno>

#include "tests/support/netns.h"

namespace fairlead::test {
namespace {

Result<std::string> exchange(const Endpoint& to, const std::string& path) {
  const auto socket = connect_to(Transport::Tcp, to);
  if (!socket) return socket.error();
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n";
  if (send(socket->get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return make_error("ask", path, errno);
  std::string text;
  char chunk[65536];
  ssize_t size = 0;
  while ((size = recv(socket->get(), chunk, sizeof(chunk), 0)) > 0)
    text.append(chunk, static_cast<std::size_t>(size));
  return text;
}

}  // namespace

std::string http_get(const Host& from, const Endpoint& to, const std::string& path) {
  const auto answer = in_namespace(from.netns, [&] { return exchange(to, path); });
  return answer ? *answer : answer.error().message;
}

}  // namespace fairlead::test
