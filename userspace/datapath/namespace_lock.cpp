// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/namespace_lock.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string_view>

namespace fairlead::datapath {

// An abstract name: each network namespace has its own, and there is no file that could be left.
Result<Fd> lock_network_namespace() {
  constexpr std::string_view kName = "fairlead/lbd";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(kName, address.sun_path + 1);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + kName.size());
  Fd lock(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!lock) return make_error("open", "a Unix socket", errno);
  if (::bind(lock.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0) return lock;
  if (errno != EADDRINUSE) return make_error("bind", "the Unix socket @fairlead/lbd", errno);
  return Error{
      "another lbd runs in this network namespace, by the Unix socket @fairlead/lbd (ss -xap names its holder); "
      "stop that first",
      EADDRINUSE};
}

}  // namespace fairlead::datapath
