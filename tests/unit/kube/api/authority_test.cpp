// SPDX-License-Identifier: Apache-2.0
// Whom a client trusts whose authority is replaced, on real sockets.
#include <gmock/gmock.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "tests/support/directory.h"
#include "tests/unit/kube/access/awaiting.h"
#include "tests/unit/kube/access/certificates.h"
#include "userspace/kube/access/user_credentials.h"
#include "userspace/kube/api/client.h"
#include "userspace/kube/api/coroutine.h"

namespace fairlead::kube {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// Answers one question of each connection.
class TlsServer {
 public:
  TlsServer(asio::io_context& io, const Issued& certificate)
      : acceptor_(io, {asio::ip::address_v4::loopback(), 0}), context_(ssl::context::tls_server) {
    context_.use_certificate_chain(asio::buffer(certificate.certificate()));
    context_.use_private_key(asio::buffer(certificate.key()), ssl::context::pem);
    spawn(io, accept());
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  asio::awaitable<void> accept() {
    while (true) {
      auto [error, socket] = co_await acceptor_.async_accept(kAwait);
      if (error) co_return;
      ssl::stream<tcp::socket> stream(std::move(socket), context_);
      co_await stream.async_handshake(ssl::stream_base::server, kAwait);
      std::string text;
      co_await asio::async_read_until(stream, asio::dynamic_buffer(text), "\r\n\r\n", kAwait);
      constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
      co_await asio::async_write(stream, asio::buffer(kAnswer), kAwait);
    }
  }

  tcp::acceptor acceptor_;
  ssl::context context_;
};

TEST(ClientAuthority, IsThatOfItsFile) {
  const Issued before("before"), after("after");
  const test::Directory directory;
  asio::io_context io;
  TlsServer server(io, after);
  Cluster cluster;
  cluster.host = "127.0.0.1";
  cluster.port = server.port();
  cluster.ca_pem = before.certificate();
  cluster.ca_file = directory.path() / "ca.crt";
  const auto nobody = std::make_shared<UserCredentials>(UserCredentials::Proofs{});
  Client client({cluster, nobody}, std::make_shared<TokenBucket>(1e9, 1), std::make_shared<Pulse>());
  const auto error = [&] {
    const auto answer = await(io, client.send({}));
    return answer ? "" : answer.error().message;
  };
  EXPECT_THAT(error(), testing::HasSubstr("certificate verify failed")) << "there is no file";
  directory.write("ca.crt", after.certificate().substr(0, 40));
  EXPECT_THAT(error(), testing::HasSubstr("certificate verify failed")) << "the file is half written";
  directory.write("ca.crt", before.certificate() + after.certificate());
  EXPECT_EQ(error(), "");
}

}  // namespace
}  // namespace fairlead::kube
