// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/json.hpp>
#include <fstream>
#include <memory>
#include <sstream>

#include "tests/support/answer.h"
#include "tests/support/http_get.h"
#include "tests/support/lab.h"
#include "tests/support/netns.h"

// fairlead-peer is what the other tests trust, so it is tried against itself, and against servers that misbehave.
namespace fairlead::test {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

constexpr std::uint16_t kPort = 8080;

class Peer : public testing::TestWithParam<Family> {
 protected:
  void SetUp() override {
    if (const auto missing = missing_requirement()) GTEST_SKIP() << *missing;
    auto lab = Lab::up({.nodes = 1, .pods = 1});
    ASSERT_TRUE(lab) << lab.error().message;
    lab_ = std::make_unique<Lab>(std::move(*lab));
  }

  const Host& pod() const { return lab_->pod(1, 1); }
  Endpoint target(std::uint16_t port = kPort) const { return {pod().address(GetParam()), port}; }

  Process start_on_client(std::vector<std::string> arguments) const {
    arguments.push_back("--json");
    return *lab_->start_peer(lab_->client(), std::move(arguments));
  }

  // The last line of a client that runs to its end.
  static json::object report(Process& client, int expected_status) {
    EXPECT_EQ(client.wait(seconds(20)), expected_status) << client.out() << client.err();
    std::string out = client.out();
    if (out.ends_with('\n')) out.pop_back();
    boost::system::error_code error;
    const json::value value = json::parse(out.substr(out.rfind('\n') + 1), error);
    EXPECT_TRUE(!error && value.is_object()) << out << client.err();
    return value.is_object() ? value.get_object() : json::object();
  }

  // What a single request came to.
  std::string failure(const std::string& protocol, const Endpoint& to, int timeout_ms = 300) const {
    Process client = start_on_client({"ask", protocol, to.to_string(), "--timeout", std::to_string(timeout_ms)});
    return json::serialize(report(client, 1).at("failures"));
  }

  std::unique_ptr<Lab> lab_;
};

TEST_P(Peer, CountsAnswersByServer) {
  auto server = lab_->serve(pod(), kPort);
  ASSERT_TRUE(server) << server.error().message;
  for (const char* protocol : {"--tcp", "--udp"}) {
    Process client =
        start_on_client({"ask", protocol, target().to_string(), "--count", "500", "--parallel", "8", "--size", "2000"});
    const json::object got = report(client, 0);
    EXPECT_EQ(json::serialize(got.at("servers")), R"({"node1-pod1":500})");
    EXPECT_EQ(got.at("failures"), json::object());
    EXPECT_EQ(got.at("seen_as").as_object().begin()->key(), lab_->client().address(GetParam()).to_string());
    const json::object& latency = got.at("latency_us").as_object();
    EXPECT_GT(latency.at("min").as_int64(), 0);
    EXPECT_LE(latency.at("min").as_int64(), latency.at("median").as_int64());
    EXPECT_LE(latency.at("p99").as_int64(), latency.at("max").as_int64());
  }
  EXPECT_EQ(ask_from(lab_->client().netns, Transport::Tcp, target())->count, 1001U);
  EXPECT_EQ(server->terminate(), 0) << "SIGTERM ends it well";
}

TEST_P(Peer, AnswersBrowsersWithItsName) {
  auto server = lab_->serve(pod(), kPort);
  ASSERT_TRUE(server) << server.error().message;
  const std::string page = http_get(lab_->client(), target(), "/any/path");
  EXPECT_TRUE(page.starts_with("HTTP/1.1 200 OK\r\n")) << page;
  EXPECT_TRUE(page.ends_with("\r\nContent-Length: 11\r\n\r\nnode1-pod1\n")) << page;
}

TEST_P(Peer, TellsFailuresApart) {
  EXPECT_EQ(failure("--tcp", target()), R"({"refused":1})");
  EXPECT_EQ(failure("--udp", target()), R"({"refused":1})");
  const char* absent = GetParam() == Family::IPv4 ? "10.210.1.99" : "fd00:210:1::99";
  EXPECT_EQ(failure("--udp", {Address::literal(absent), kPort}), R"({"unreachable":1})");
  // An ICMPv6 error comes back while connect() still has the socket locked, and is ignored: the second SYN's is heard.
  EXPECT_EQ(failure("--tcp", {Address::literal(absent), kPort}, 10000), R"({"unreachable":1})");

  std::vector<Fd> silent;
  for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
    auto socket = in_namespace(pod().netns, [&] { return listen_at(transport, target()); });
    ASSERT_TRUE(socket) << socket.error().message;
    silent.push_back(std::move(*socket));
  }
  EXPECT_EQ(failure("--tcp", target()), R"({"timeout":1})");
  EXPECT_EQ(failure("--udp", target()), R"({"timeout":1})");
}

// Each target gets a line, which says exactly what its tries met.
TEST_P(Peer, ProbesManyTargets) {
  auto server = lab_->serve(pod(), kPort);
  ASSERT_TRUE(server) << server.error().message;
  const Endpoint silent = target(kPort + 1), closed = target(kPort + 2);
  auto listener = in_namespace(pod().netns, [&] { return listen_at(Transport::Udp, silent); });
  ASSERT_TRUE(listener) << listener.error().message;
  const std::string plan = lab_->dir() + "/plan";
  std::ofstream file(plan);
  const auto add = [&file](int id, const char* protocol, const Endpoint& to) {
    file << json::object{{"id", id}, {"protocol", protocol}, {"to", to.to_string()}, {"tries", 20}, {"enough", 1}}
         << "\n";
  };
  add(0, "tcp", target());
  add(1, "udp", target());
  add(2, "tcp", closed);
  add(3, "udp", closed);
  add(4, "udp", silent);
  file.close();
  const auto out = lab_->run_in(lab_->client(), {peer_program(), "probe", plan, "--parallel", "2", "--timeout", "900"});
  ASSERT_TRUE(out) << out.error().message;
  const std::string saw = R"({"node1-pod1:8080 saw )" + lab_->client().address(GetParam()).to_string() + R"(":8})";
  const std::string unreachable =
      R"({"icmp-port-unreachable from )" + pod().address(GetParam()).to_string() + R"(":20})";
  const std::string expected[][2] = {
      {saw, "{}"}, {saw, "{}"}, {"{}", R"({"rst":20})"}, {"{}", unreachable}, {"{}", R"({"silence":20})"}};
  std::istringstream lines(*out);
  unsigned count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const json::value report = json::parse(line);
    const auto id = json::value_to<std::size_t>(report.at("id"));
    ASSERT_LT(id, std::size(expected));
    EXPECT_EQ(json::serialize(report.at("answers")), expected[id][0]) << id;
    EXPECT_EQ(json::serialize(report.at("failures")), expected[id][1]) << id;
  }
  EXPECT_EQ(count, std::size(expected));
}

TEST_P(Peer, HoldsConnections) {
  auto server = lab_->serve(pod(), kPort);
  ASSERT_TRUE(server) << server.error().message;
  Process client =
      start_on_client({"hold", target().to_string(), "--connections", "20", "--for", "0.5", "--interval", "20"});
  const json::object got = report(client, 0);
  EXPECT_EQ(got.at("broken"), 0);
  ASSERT_EQ(got.at("details").as_array().size(), 20U);
  for (const json::value& one : got.at("details").as_array()) {
    EXPECT_GT(one.at("answers").as_int64(), 3) << one;
    EXPECT_EQ(one.at("server"), "node1-pod1");
  }
}

TEST_P(Peer, ReportsEachConnectionThatBreaks) {
  auto server = lab_->serve(pod(), kPort);
  ASSERT_TRUE(server) << server.error().message;
  Process client =
      start_on_client({"hold", target().to_string(), "--connections", "3", "--for", "60", "--interval", "20"});
  ASSERT_TRUE(client.wait_for_line("ready", seconds(10)));
  server->terminate();
  const json::object got = report(client, 1);
  EXPECT_EQ(got.at("broken"), 3);
  for (const json::value& one : got.at("details").as_array()) {
    EXPECT_GE(one.at("broken").at("after_ms").as_int64(), 0);
    EXPECT_NE(one.at("broken").at("why"), "timeout") << one;
  }
}

TEST_P(Peer, NoticesAnswersFromAnotherServer) {
  auto listener = in_namespace(pod().netns, [&] { return listen_at(Transport::Tcp, target()); });
  ASSERT_TRUE(listener);
  Process client =
      start_on_client({"hold", target().to_string(), "--connections", "1", "--for", "60", "--interval", "20"});
  const auto accepted = accept_at(*listener);
  ASSERT_TRUE(accepted) << accepted.error().message;
  for (const char* server : {"one", "other"}) {
    const auto request = receive_line(*accepted);
    ASSERT_TRUE(request) << request.error().message;
    ASSERT_TRUE(send_line(*accepted, json::serialize(json::object{{"server", server}, {"echo", *request}})));
  }
  const json::object got = report(client, 1);
  EXPECT_EQ(got.at("details").at(0).at("broken").at("why"), "answered by other");
}

TEST_P(Peer, EndsAHoldEarlyWhenTold) {
  auto server = lab_->serve(pod(), kPort);
  ASSERT_TRUE(server) << server.error().message;
  Process client = start_on_client({"hold", target().to_string(), "--for", "60"});
  ASSERT_TRUE(client.wait_for_line("ready", seconds(10)));
  client.signal(SIGTERM);
  EXPECT_EQ(report(client, 0).at("broken"), 0);
}

INSTANTIATE_TEST_SUITE_P(, Peer, testing::Values(Family::IPv4, Family::IPv6),
                         [](const auto& info) { return info.param == Family::IPv4 ? "IPv4" : "IPv6"; });

}  // namespace
}  // namespace fairlead::test
