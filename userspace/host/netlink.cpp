// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/netlink.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace fairlead::host {
namespace {

using Socket = std::unique_ptr<mnl_socket, int (*)(mnl_socket*)>;

Result<Socket> open_rtnetlink() {
  Socket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC), mnl_socket_close);
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
    return make_error("open", "rtnetlink", errno);
  return socket;
}

// Behind each other, each to be answered.
std::vector<char> request_of(std::span<const nlmsghdr* const> messages) {
  std::vector<char> all;
  for (const nlmsghdr* message : messages) {
    const std::size_t at = all.size();
    all.resize(at + MNL_ALIGN(message->nlmsg_len));
    std::memcpy(all.data() + at, message, message->nlmsg_len);
    reinterpret_cast<nlmsghdr*>(all.data() + at)->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
  }
  return all;
}

}  // namespace

Result<> try_netlink_dump(int type, std::span<const std::byte> header,
                          const std::function<void(const nlmsghdr*)>& visit) {
  const auto opened = open_rtnetlink();
  if (!opened) return opened.error();
  mnl_socket* socket = opened->get();
  std::vector<char> buffer(32768);
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = static_cast<std::uint16_t>(type);
  request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request->nlmsg_seq = 1;
  std::memcpy(mnl_nlmsg_put_extra_header(request, header.size()), header.data(), header.size());
  if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0) return make_error("ask", "rtnetlink", errno);
  const auto call = [](const nlmsghdr* message, void* data) {
    (*static_cast<const std::function<void(const nlmsghdr*)>*>(data))(message);
    return MNL_CB_OK;
  };
  for (int state = MNL_CB_OK; state > MNL_CB_STOP;) {
    const ssize_t length = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
    state = length < 0 ? MNL_CB_ERROR
                       : mnl_cb_run(buffer.data(), static_cast<std::size_t>(length), 1, mnl_socket_get_portid(socket),
                                    call, const_cast<std::function<void(const nlmsghdr*)>*>(&visit));
    if (state < 0 && errno == EINTR) return Error{"read rtnetlink: it changes while it is read", EINTR};
    if (state < 0) return make_error("read", "rtnetlink", errno);
  }
  return {};
}

// The answers come in the order of the messages, each by itself.
Result<std::vector<int>> netlink_do(std::span<const nlmsghdr* const> messages) {
  const auto socket = open_rtnetlink();
  if (!socket) return socket.error();
  const std::vector<char> request = request_of(messages);
  if (mnl_socket_sendto(socket->get(), request.data(), request.size()) < 0)
    return make_error("ask", "rtnetlink", errno);
  std::vector<int> done;
  std::vector<char> buffer(32768);
  while (done.size() < messages.size()) {
    if (mnl_socket_recvfrom(socket->get(), buffer.data(), buffer.size()) < 0)
      return make_error("read", "rtnetlink", errno);
    const auto* answer = reinterpret_cast<const nlmsghdr*>(buffer.data());
    done.push_back(-static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(answer))->error);
  }
  return done;
}

}  // namespace fairlead::host
