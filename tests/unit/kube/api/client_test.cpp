// SPDX-License-Identifier: Apache-2.0
// How long a server that says nothing is waited for, on real sockets.
#include "userspace/kube/api/client.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <optional>

#include "tests/unit/kube/access/awaiting.h"
#include "userspace/kube/access/user_credentials.h"
#include "userspace/kube/api/coroutine.h"
#include "userspace/kube/api/prompt_credentials.h"

namespace fairlead::kube {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// Takes connections, and answers as many questions as it is to; after that it says nothing.
class Server {
 public:
  explicit Server(asio::io_context& io) : io_(io), acceptor_(io, {asio::ip::address_v4::loopback(), 0}) {
    spawn(io, accept());
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::vector<tcp::socket>& connections() { return connections_; }

  int answers = 0;
  int asked = 0;
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

 private:
  asio::awaitable<void> accept() {
    connections_.reserve(16);
    while (true) {
      auto [error, socket] = co_await acceptor_.async_accept(kAwait);
      if (error) co_return;
      connections_.push_back(std::move(socket));
      spawn(io_, serve(connections_.back()));
    }
  }
  asio::awaitable<void> serve(tcp::socket& socket) {
    std::string text;
    while (true) {
      auto [error, size] = co_await asio::async_read_until(socket, asio::dynamic_buffer(text), "\r\n\r\n", kAwait);
      if (error) co_return;
      text.erase(0, size);
      ++asked;
      if (answers-- > 0) co_await asio::async_write(socket, asio::buffer(answer), kAwait);
    }
  }

  asio::io_context& io_;
  tcp::acceptor acceptor_;
  std::vector<tcp::socket> connections_;
};

// Never says anything.
class Hanging : public Credentials {
 public:
  asio::awaitable<Result<Identity>> identity() override {
    co_await wait_for(std::chrono::hours(1));
    co_return Error{"late", 0};
  }
  void reject() override { ++rejected; }
  int rejected = 0;
};

class ClientTest : public testing::Test {
 protected:
  Client make_client(std::shared_ptr<Credentials> credentials) {
    Cluster cluster;
    cluster.host = "127.0.0.1";
    cluster.port = server_.port();
    cluster.tls = tls_;
    return {{cluster, std::move(credentials)}, std::make_shared<TokenBucket>(1e9, 1), pulse_};
  }
  static Request question(Clock::duration patience) {
    Request request;
    request.target = "/livez";
    request.patience = patience;
    return request;
  }
  Result<Answer> ask(Client& client, Clock::duration patience = seconds(10)) {
    return await(io_, client.send(question(patience)));
  }
  Result<std::string_view> read(Client& client) { return await(io_, client.read(seconds(10))); }

  asio::io_context io_;
  Server server_{io_};
  std::shared_ptr<Pulse> pulse_ = std::make_shared<Pulse>();
  bool tls_ = false;
  Client client_ = make_client(std::make_shared<UserCredentials>(UserCredentials::Proofs{}));
};

TEST_F(ClientTest, AnAnswerAndEachPieceOfItIsHeard) {
  server_.answers = 1;
  EXPECT_FALSE(pulse_->last());
  ASSERT_TRUE(ask(client_));
  const auto heard = pulse_->last();
  ASSERT_TRUE(heard);
  ASSERT_TRUE(read(client_));
  EXPECT_GT(*pulse_->last(), *heard);
}

TEST_F(ClientTest, SilenceIsWaitedForOnceAndNotOnAnotherConnectionToo) {
  server_.answers = 1;
  ASSERT_TRUE(ask(client_));
  for (auto piece = read(client_); !piece->empty(); piece = read(client_))
    ASSERT_TRUE(piece);
  const auto answer = ask(client_, milliseconds(100));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ETIMEDOUT);
  EXPECT_THAT(answer.error().message, HasSubstr("no answer in time"));
  EXPECT_EQ(server_.connections().size(), 1u);
  EXPECT_EQ(server_.asked, 2);
}

TEST_F(ClientTest, AConnectionThatTheServerClosedIsMadeAnew) {
  server_.answers = 2;
  ASSERT_TRUE(ask(client_));
  for (auto piece = read(client_); !piece->empty(); piece = read(client_))
    ASSERT_TRUE(piece);
  boost::system::error_code ignored;
  server_.connections()[0].shutdown(tcp::socket::shutdown_both, ignored);
  EXPECT_TRUE(ask(client_));
  EXPECT_EQ(server_.connections().size(), 2u);
}

TEST_F(ClientTest, AHandshakeThatHangsIsGivenUp) {
  tls_ = true;
  Client client = make_client(std::make_shared<UserCredentials>(UserCredentials::Proofs{}));
  const auto answer = ask(client, milliseconds(100));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, testing::StartsWith("TLS with 127.0.0.1:"));
  EXPECT_EQ(answer.error().code, ETIMEDOUT);
}

TEST_F(ClientTest, WhoWaitsForAnAnswerOrAPieceIsInterrupted) {
  const auto answer = begin(io_, client_.send(question(seconds(10))));
  ASSERT_TRUE(runs_until(io_, [&] { return server_.asked == 1; }));
  client_.interrupt();
  ASSERT_TRUE(runs_until(io_, [&] { return answer->has_value(); }));
  ASSERT_FALSE(**answer);
  EXPECT_EQ((*answer)->error().code, ETIMEDOUT);

  server_.answers = 1;
  server_.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  ASSERT_TRUE(ask(client_));
  const auto piece = begin(io_, client_.read(seconds(10)));
  io_.restart();
  io_.poll();
  EXPECT_FALSE(piece->has_value());
  client_.interrupt();
  ASSERT_TRUE(runs_until(io_, [&] { return piece->has_value(); }));
  EXPECT_FALSE(**piece);
  EXPECT_EQ(server_.connections().size(), 2u);
}

// Where nothing is asked on it, as on a watch, TCP itself must find out that the other end is gone.
TEST_F(ClientTest, ConnectionsAreWatchedByTheKernel) {
  server_.answers = 1;
  ASSERT_TRUE(ask(client_));
  const auto wanted = server_.connections().at(0).remote_endpoint();
  int found = 0;
  for (int fd = 3; fd < 256; ++fd) {
    tcp::endpoint own;
    socklen_t size = static_cast<socklen_t>(own.capacity());
    if (::getsockname(fd, own.data(), &size) != 0 || own != wanted) continue;
    ++found;
    const auto option = [&](int level, int name) {
      int value = 0;
      socklen_t length = sizeof(value);
      return ::getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
    };
    EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_LE(option(IPPROTO_TCP, TCP_KEEPIDLE) + option(IPPROTO_TCP, TCP_KEEPINTVL), 15);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 25000);
  }
  EXPECT_EQ(found, 1);
}

TEST_F(ClientTest, CredentialsThatHangLeaveAQuestionThatAnybodyMayAsk) {
  const auto hanging = std::make_shared<Hanging>();
  Client client = make_client(std::make_shared<PromptCredentials>(hanging, milliseconds(20)));
  server_.answers = 2;
  server_.answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
  const auto answer = ask(client);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 401u);
  EXPECT_EQ(hanging->rejected, 0);
}

TEST_F(ClientTest, PromptCredentialsAreTheOthersWhereTheyAreInTime) {
  UserCredentials::Proofs proofs;
  proofs.authorization = "Bearer x";
  PromptCredentials prompt(std::make_shared<UserCredentials>(proofs), seconds(10));
  const auto identity = await(io_, prompt.identity());
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->authorization, "Bearer x");
}

}  // namespace
}  // namespace fairlead::kube
