// SPDX-License-Identifier: Apache-2.0
// Names and addresses that are silent. The resolver is a test's own here.
#include "userspace/kube/api/resolve.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <netdb.h>
#include <netinet/in.h>

#include <boost/asio/io_context.hpp>
#include <cstring>
#include <future>

#include "tests/unit/kube/access/awaiting.h"
#include "userspace/kube/access/user_credentials.h"
#include "userspace/kube/api/connection.h"
#include "userspace/kube/api/pace.h"

namespace {

// What "hangs.test" waits for.
std::shared_future<void> released;
using GetAddrInfo = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

}  // namespace

// In place of the C library's: "hangs.test" takes until it is released, "two.test" has two addresses.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  static const auto real = reinterpret_cast<GetAddrInfo>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (!node || std::strchr(node, '.') == nullptr) return real(node, service, hints, result);
  if (std::string_view(node) == "hangs.test") {
    released.wait();
    return EAI_AGAIN;
  }
  if (std::string_view(node) != "two.test") return real(node, service, hints, result);
  addrinfo* second = nullptr;
  if (const int error = real("127.0.0.2", service, hints, result)) return error;
  if (const int error = real("127.0.0.1", service, hints, &second)) return error;
  addrinfo* last = *result;
  while (last->ai_next)
    last = last->ai_next;
  last->ai_next = second;
  return 0;
}

namespace fairlead::kube {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
using testing::HasSubstr;

TEST(Resolve, ANameThatHangsIsGivenUp) {
  std::promise<void> promise;
  released = promise.get_future().share();
  asio::io_context io;
  for (int i = 0; i < 3; ++i) {
    const auto found = await(io, resolve("hangs.test", 6443, Clock::now() + milliseconds(20)));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().message, "look up hangs.test: no answer in time");
    EXPECT_EQ(found.error().code, ETIMEDOUT);
  }
  promise.set_value();
  // And those that nobody waits for any more are in nobody's way.
  const auto found = await(io, resolve("127.0.0.1", 6443, Clock::now() + std::chrono::seconds(10)));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->begin()->endpoint().port(), 6443);
}

// One that drops what it is sent, as a host that is gone does: its queue is full.
TEST(Resolve, AnAddressThatIsSilentDoesNotTakeTheTurnOfTheNext) {
  asio::io_context io;
  tcp::acceptor good(io, {asio::ip::make_address("127.0.0.1"), 0});
  const auto port = good.local_endpoint().port();
  tcp::acceptor full(io);
  full.open(tcp::v4());
  full.bind({asio::ip::make_address("127.0.0.2"), port});
  full.listen(0);
  std::vector<tcp::socket> waiting;
  for (int i = 0; i < 4; ++i) {
    tcp::socket& socket = waiting.emplace_back(io);
    socket.async_connect(full.local_endpoint(), [](auto) {});
  }
  Cluster cluster;
  cluster.host = "two.test";
  cluster.port = port;
  cluster.tls = false;
  const auto opened = await(io, Connection::open(cluster, {}, milliseconds(500)));
  EXPECT_TRUE(opened) << opened.error().message;
}

}  // namespace
}  // namespace fairlead::kube
