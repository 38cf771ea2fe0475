// SPDX-License-Identifier: Apache-2.0
#include "tests/support/wire.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>

#include "tests/support/netns.h"

namespace fairlead::test {

Result<Wire> Wire::open(const std::string& netns, const std::string& device) {
  return in_namespace(netns, [&]() -> Result<Wire> {
    // Without a protocol it sends, and receives nothing.
    Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    if (!socket) return make_error("open", "packet socket", errno);
    sockaddr_ll where{};
    where.sll_family = AF_PACKET;
    where.sll_ifindex = static_cast<int>(if_nametoindex(device.c_str()));
    if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)))
      return make_error("bind to", device, errno);
    return Wire(std::move(socket));
  });
}

Result<> Wire::send(const Bytes& frame) const {
  if (::send(socket_.get(), frame.data(), frame.size(), 0) < 0) return make_error("send", "frame", errno);
  return {};
}

}  // namespace fairlead::test
