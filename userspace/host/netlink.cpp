// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/netlink.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace fairlead::host {

Result<> try_netlink_dump(int type, std::span<const std::byte> header,
                          const std::function<void(const nlmsghdr*)>& visit) {
  const std::unique_ptr<mnl_socket, int (*)(mnl_socket*)> socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC),
                                                                 mnl_socket_close);
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
    return make_error("open", "rtnetlink", errno);
  std::vector<char> buffer(32768);
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = static_cast<std::uint16_t>(type);
  request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request->nlmsg_seq = 1;
  std::memcpy(mnl_nlmsg_put_extra_header(request, header.size()), header.data(), header.size());
  if (mnl_socket_sendto(socket.get(), request, request->nlmsg_len) < 0) return make_error("ask", "rtnetlink", errno);
  const auto call = [](const nlmsghdr* message, void* data) {
    (*static_cast<const std::function<void(const nlmsghdr*)>*>(data))(message);
    return MNL_CB_OK;
  };
  for (int state = MNL_CB_OK; state > MNL_CB_STOP;) {
    const ssize_t length = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
    state = length < 0
                ? MNL_CB_ERROR
                : mnl_cb_run(buffer.data(), static_cast<std::size_t>(length), 1, mnl_socket_get_portid(socket.get()),
                             call, const_cast<std::function<void(const nlmsghdr*)>*>(&visit));
    if (state < 0 && errno == EINTR) return Error{"read rtnetlink: it changes while it is read", EINTR};
    if (state < 0) return make_error("read", "rtnetlink", errno);
  }
  return {};
}

}  // namespace fairlead::host
