// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/client.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>

namespace fairlead::cli {
namespace {

using Unix = boost::asio::local::stream_protocol;

class ClientTest : public testing::Test {
 protected:
  ClientTest() { std::filesystem::create_directories(directory_); }
  ~ClientTest() override { std::filesystem::remove_all(directory_); }

  Error refusal(const Client& client) {
    const auto answer = client.get("/v1/status");
    EXPECT_FALSE(answer);
    return answer ? Error{} : answer.error();
  }

  const std::string directory_ = "/tmp/fairlead-client-" + std::to_string(getpid());
  const std::string socket_ = directory_ + "/lbd.sock";
};

TEST_F(ClientTest, SaysThatNobodyIsThere) {
  const Error error = refusal(Client(socket_));
  EXPECT_EQ(error.code, ECONNREFUSED);
  EXPECT_EQ(error.message, "no lbd answers on " + socket_ + ": No such file or directory (--socket names another)");
}

// As a daemon leaves it that is stopped.
TEST_F(ClientTest, SaysThatASocketIsStale) {
  {
    boost::asio::io_context io;
    const Unix::acceptor gone(io, Unix::endpoint(socket_));
  }
  const Error error = refusal(Client(socket_));
  EXPECT_EQ(error.code, ECONNREFUSED);
  EXPECT_EQ(error.message, "no lbd answers on " + socket_ +
                               ": its lbd runs no more, and has left the socket behind (--socket names another)");
}

TEST_F(ClientTest, SaysThatAPathIsTooLongForASocket) {
  const std::string path(200, 'x');
  const Error error = refusal(Client(path));
  EXPECT_EQ(error.code, ECONNREFUSED);
  EXPECT_EQ(error.message, "no lbd answers on " + path + ": File name too long (--socket names another)");
}

// One that takes connections and does nothing.
TEST_F(ClientTest, SaysThatADaemonHangs) {
  boost::asio::io_context io;
  Unix::acceptor hung(io, Unix::endpoint(socket_));
  const Error error = refusal(Client(socket_, std::chrono::milliseconds(200)));
  EXPECT_EQ(error.code, ECONNREFUSED);
  EXPECT_EQ(error.message, "the lbd on " + socket_ + " does not answer: nothing came for 0.2 s");
}

TEST_F(ClientTest, SaysThatItMayNotAsk) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to be somebody else";
  boost::asio::io_context io;
  Unix::acceptor server(io, Unix::endpoint(socket_));
  ASSERT_EQ(::chmod(socket_.c_str(), 0600), 0);
  ASSERT_EQ(::seteuid(65534), 0);
  const Error error = refusal(Client(socket_));
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(error.code, EACCES);
  EXPECT_EQ(error.message,
            "not allowed to ask the lbd on " + socket_ + ": it answers only its own user, who is root as a rule");
}

}  // namespace
}  // namespace fairlead::cli
