// SPDX-License-Identifier: Apache-2.0
#include "userspace/admin/http_server.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

namespace fairlead::admin {
namespace {

namespace asio = boost::asio;
using Unix = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// How many descriptors this process may have, for as long as this lives.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t soft) {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit now{std::min(soft, before_.rlim_max), before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &now), 0);
  }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// A server on a thread of its own; tests talk to it with blocking sockets, whose reads a server that does not close its
// end would hold up until ctest ends them.
class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() { std::filesystem::create_directories(directory_); }
  ~HttpServerTest() override {
    io_.stop();
    if (thread_.joinable()) thread_.join();
    std::filesystem::remove_all(directory_);
  }

  static HttpResponse echo(const HttpRequest& request) {
    return text_response(boost::beast::http::status::ok, std::string(request.target()) + " " + request.body());
  }

  void serve_unix() {
    const auto listening = server_.listen_unix(socket_, echo);
    ASSERT_TRUE(listening) << listening.error().message;
    run();
  }
  void run() {
    thread_ = std::thread([this] { io_.run(); });
  }

  Unix::socket connect() {
    Unix::socket socket(client_);
    socket.connect(Unix::endpoint(socket_));
    return socket;
  }

  // Whatever comes until the server closes.
  template <class Socket>
  static std::string rest(Socket& socket) {
    std::string text;
    boost::system::error_code closed;
    asio::read(socket, asio::dynamic_buffer(text), closed);
    return text;
  }
  template <class Socket>
  static std::string exchange(Socket socket, const std::string& request) {
    boost::system::error_code closed;
    asio::write(socket, asio::buffer(request), closed);
    return rest(socket);
  }
  static std::string last(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  }

  const std::string directory_ = "/tmp/fairlead-http-" + std::to_string(getpid());
  const std::string socket_ = directory_ + "/lbd.sock";
  asio::io_context io_, client_;
  HttpServer server_{io_};
  std::thread thread_;
};

TEST_F(HttpServerTest, AnswersOnASocketOfItsOwnersOnly) {
  ASSERT_NO_FATAL_FAILURE(serve_unix());
  struct stat status{};
  ASSERT_EQ(::stat(socket_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  const std::string answer = exchange(connect(), last("/a"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nCache-Control: no-store\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n/a "));
}

TEST_F(HttpServerTest, AnswersOnPortsOfBothFamilies) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    Tcp::acceptor free(client_, {asio::ip::make_address(address), 0});
    const Tcp::endpoint endpoint = free.local_endpoint();
    free.close();
    const std::string text = (endpoint.address().is_v6() ? "[::1]:" : "127.0.0.1:") + std::to_string(endpoint.port());
    const auto listening = server_.listen_tcp(text, at_once(echo));
    ASSERT_TRUE(listening) << listening.error().message;
    const auto again = server_.listen_tcp(text, at_once(echo));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().message, "listen on " + text + ": Address already in use");
    if (!thread_.joinable()) run();
    Tcp::socket socket(client_);
    socket.connect(endpoint);
    EXPECT_THAT(exchange(std::move(socket), last("/b")), EndsWith("/b "));
  }
}

TEST_F(HttpServerTest, RefusesWhatIsNoAddressAndPort) {
  for (const char* text : {"127.0.0.1", "localhost:80", ":80", "[::1:80", "127.0.0.1:99999", "[::1]:65536", ""}) {
    const auto listening = server_.listen_tcp(text, at_once(echo));
    ASSERT_FALSE(listening) << text;
    EXPECT_EQ(listening.error().message, std::string("listen on ") + text + ": not of the form ADDRESS:PORT");
  }
}

TEST_F(HttpServerTest, ReplacesTheSocketOfTheDeadButNotOfTheLiving) {
  {
    Unix::acceptor dead(client_, Unix::endpoint(socket_));
    const auto listening = server_.listen_unix(socket_, echo);
    ASSERT_FALSE(listening);
    EXPECT_EQ(listening.error().message, "listen on " + socket_ + ": another lbd answers there");
  }
  ASSERT_TRUE(std::filesystem::exists(socket_));
  ASSERT_NO_FATAL_FAILURE(serve_unix());
  EXPECT_THAT(exchange(connect(), last("/c")), EndsWith("/c "));
}

TEST_F(HttpServerTest, SaysWhatKeepsAnotherUserFromASocket) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to be somebody else";
  const auto as_another = [&] {
    EXPECT_EQ(::seteuid(65534), 0);
    const auto listening = server_.listen_unix(socket_, echo);
    EXPECT_EQ(::seteuid(0), 0);
    return listening ? std::string() : listening.error().message;
  };
  {
    Unix::acceptor other(client_, Unix::endpoint(socket_));
    ASSERT_EQ(::chmod(socket_.c_str(), 0600), 0);
    EXPECT_EQ(as_another(), "ask whether another lbd answers on " + socket_ + ": Permission denied");
  }
  ASSERT_EQ(::chmod(socket_.c_str(), 0666), 0);
  EXPECT_EQ(as_another(), "remove the socket that an earlier lbd has left, " + socket_ + ": Permission denied");
}

TEST_F(HttpServerTest, LeavesWhatIsNoSocketAndRefusesALongPath) {
  std::ofstream(socket_) << "a configuration";
  const auto listening = server_.listen_unix(socket_, echo);
  ASSERT_FALSE(listening);
  EXPECT_EQ(listening.error().message, "listen on " + socket_ + ": something that is no socket is there");
  EXPECT_EQ(std::filesystem::file_size(socket_), 15u);
  const auto longer = server_.listen_unix(directory_ + "/" + std::string(120, 'x'), echo);
  ASSERT_FALSE(longer);
  EXPECT_THAT(longer.error().message, EndsWith(": File name too long"));
}

TEST_F(HttpServerTest, KeepsAConnectionForWhatFollows) {
  ASSERT_NO_FATAL_FAILURE(serve_unix());
  const std::string both = exchange(connect(), "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n" + last("/2"));
  EXPECT_THAT(both, HasSubstr("\r\n\r\n/1 HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(both, EndsWith("\r\n\r\n/2 "));
  EXPECT_THAT(exchange(connect(), "GET /3 HTTP/1.0\r\n\r\n"), EndsWith("\r\n\r\n/3 ")) << "1.0 asks once";
}

TEST_F(HttpServerTest, TakesASmallBodyAndNoLargeOne) {
  ASSERT_NO_FATAL_FAILURE(serve_unix());
  const auto post = [](std::size_t size) {
    return "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
           std::string(size, '.');
  };
  EXPECT_THAT(exchange(connect(), post(64 * 1024)), EndsWith("/ " + std::string(64 * 1024, '.')));
  EXPECT_EQ(exchange(connect(), post(64 * 1024 + 1)), "");
}

// Nobody who talks nonsense is answered, or keeps others from an answer.
TEST_F(HttpServerTest, ClosesConnectionsThatAreNotHttp) {
  ASSERT_NO_FATAL_FAILURE(serve_unix());
  for (const std::string& nonsense :
       {std::string("\0\1\2\r\n\r\n", 7), std::string("GET\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n"),
        "GET / HTTP/1.1\r\nX: " + std::string(64 * 1024, 'x') + "\r\n\r\n"})
    EXPECT_EQ(exchange(connect(), nonsense), "");
  EXPECT_THAT(exchange(connect(), last("/d")), EndsWith("/d "));
}

TEST_F(HttpServerTest, AnswersBesideManyThatSayNothing) {
  ASSERT_NO_FATAL_FAILURE(serve_unix());
  std::vector<Unix::socket> idle;
  for (int i = 0; i < 250; ++i)
    idle.push_back(connect());
  EXPECT_THAT(exchange(connect(), last("/e")), EndsWith("/e "));
  for (Unix::socket& socket : idle)
    asio::write(socket, asio::buffer(last("/f")));
  for (Unix::socket& socket : idle)
    EXPECT_THAT(rest(socket), EndsWith("/f "));
}

// More than twice as many as it keeps, in a process that has the usual number of descriptors.
TEST_F(HttpServerTest, ClosesTheLongestSilentForNewcomers) {
  const DescriptorLimit limit(1024);
  ASSERT_NO_FATAL_FAILURE(serve_unix());
  const auto begin = std::chrono::steady_clock::now();
  Unix::socket busy = connect();
  std::vector<Unix::socket> idle;
  for (int i = 0; i < 600; ++i) {
    idle.push_back(connect());
    if (i % 100 != 0) continue;
    // Connections are accepted in order: an answer to the newest says that none waits any more.
    ASSERT_THAT(exchange(connect(), last("/newest")), EndsWith("/newest "));
    asio::write(busy, asio::buffer(std::string("GET /busy HTTP/1.1\r\nHost: x\r\n\r\n")));
    std::string answer;
    asio::read_until(busy, asio::dynamic_buffer(answer), "/busy ");
  }
  EXPECT_THAT(exchange(connect(), last("/g")), EndsWith("/g "));
  EXPECT_EQ(rest(idle.front()), "") << "it has made room";
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(25)) << "not for having been idle";
  EXPECT_THAT(exchange(std::move(busy), last("/h")), EndsWith("/h "));
  EXPECT_THAT(exchange(std::move(idle.back()), last("/i")), EndsWith("/i "));
}

// The connection that can't be accepted stays where it is; trying it again and again would take a core.
TEST_F(HttpServerTest, RestsWhereThereAreNoDescriptors) {
  ASSERT_NO_FATAL_FAILURE(serve_unix());
  Unix::socket waiting(client_);
  waiting.open();
  {
    const DescriptorLimit none(0);
    waiting.connect(Unix::endpoint(socket_));
    const std::clock_t before = std::clock();
    std::this_thread::sleep_for(std::chrono::seconds(1));
    EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 100);
  }
  EXPECT_THAT(exchange(std::move(waiting), last("/j")), EndsWith("/j "));
}

TEST(ParseTarget, DecodesPathAndQuery) {
  const auto target = parse_target("/v1/a%2Fb?x=1%202&y");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/v1/a/b");
  EXPECT_THAT(target->query, testing::ElementsAre(testing::Pair("x", "1 2"), testing::Pair("y", "")));
  for (const char* text : {"", "v1", "http://x/v1", "/%zz", "*"})
    EXPECT_FALSE(parse_target(text)) << text;
}

}  // namespace
}  // namespace fairlead::admin
