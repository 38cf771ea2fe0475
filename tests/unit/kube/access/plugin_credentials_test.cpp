// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/plugin_credentials.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "tests/unit/kube/access/awaiting.h"
#include "tests/unit/kube/access/scripts.h"

namespace fairlead::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kVersion = "client.authentication.k8s.io/v1";

// A line of shell that prints a credential with a token, and more of its status.
std::string gives(const std::string& token, const std::string& more = "") {
  return R"(echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "')" +
         token + R"('")" + more + "}}'";
}

class Plugins : public testing::Test {
 protected:
  // One that says in a file that it was run.
  std::shared_ptr<PluginCredentials> plugin(const std::string& lines) {
    const auto program = write_script(directory_, "plugin", "echo run >> " + log().string() + "\n" + lines);
    return plugin_at(program);
  }
  std::shared_ptr<PluginCredentials> plugin_at(const std::string& program) {
    const Command command{{program, "get-token"}, {"PATH=/usr/bin:/bin"}};
    return std::make_shared<PluginCredentials>(
        PluginCredentials::Plugin{"user 'edge'", command, kVersion, "get it from\nplugins.example"}, timing_);
  }
  std::string ask(PluginCredentials& plugin) { return said(await(io_, plugin.identity())); }
  static std::string said(const Result<Identity>& identity) {
    return identity ? identity->authorization : identity.error().message;
  }
  std::filesystem::path log() const { return directory_.path() / "log"; }
  std::size_t runs() const {
    const std::string lines = test::content_of(log());
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
  }
  boost::asio::io_context io_;
  test::Directory directory_;
  HandClock clock_;
  Timing timing_ = clock_.timing();
};

TEST_F(Plugins, AreRunOnceForACredentialThatDoesNotExpire) {
  const auto plugin = this->plugin(gives("abc"));
  EXPECT_EQ(ask(*plugin), "Bearer abc");
  clock_.time += std::chrono::hours(1000);
  EXPECT_EQ(ask(*plugin), "Bearer abc");
  EXPECT_EQ(runs(), 1u);
}

TEST_F(Plugins, AreRunAgainWhenTheirCredentialHasExpired) {
  const auto plugin = this->plugin(gives("abc", R"(, "expirationTimestamp": "2023-11-14T22:23:20Z")"));
  EXPECT_EQ(ask(*plugin), "Bearer abc");
  clock_.time += seconds(599);
  EXPECT_EQ(ask(*plugin), "Bearer abc");
  EXPECT_EQ(runs(), 1u);
  clock_.time += seconds(1);
  EXPECT_EQ(ask(*plugin), "Bearer abc");
  EXPECT_EQ(runs(), 2u);
}

TEST_F(Plugins, AreRunAgainWhenTheirCredentialIsRejected) {
  const auto plugin = this->plugin(gives("$(wc -l < " + log().string() + ")"));
  EXPECT_EQ(ask(*plugin), "Bearer 1");
  plugin->reject();
  EXPECT_EQ(ask(*plugin), "Bearer 2");
}

TEST_F(Plugins, AllWhoAskMeanwhileShareARun) {
  const auto gate = directory_.path() / "gate";
  ASSERT_EQ(::mkfifo(gate.c_str(), 0600), 0);
  const auto plugin = this->plugin("read line < " + gate.string() + "\n" + gives("abc"));
  const auto first = begin(io_, plugin->identity()), second = begin(io_, plugin->identity());
  ASSERT_TRUE(runs_until(io_, [&] { return runs() == 1; }));
  plugin->reject();
  const auto third = begin(io_, plugin->identity());
  io_.poll();
  std::ofstream(gate) << "go\n";
  ASSERT_TRUE(runs_until(io_, [&] { return *first && *second && *third; }));
  EXPECT_EQ(said(**first), "Bearer abc");
  EXPECT_EQ(said(**second), "Bearer abc");
  EXPECT_EQ(said(**third), "Bearer abc");
  EXPECT_EQ(ask(*plugin), "Bearer abc");
  EXPECT_EQ(runs(), 1u);
}

TEST_F(Plugins, ThatFailAreQuotedAndRunAgain) {
  const auto plugin = this->plugin("printf 'cannot reach\\n\\033[31m%s' \"$(printf '%400s' x)\" >&2; exit 7");
  const std::string error = ask(*plugin);
  EXPECT_EQ(error.substr(0, error.find("cannot")),
            "user 'edge': plugin '" + (directory_.path() / "plugin").string() + "': status 7: ");
  EXPECT_EQ(error.find('\n'), std::string::npos);
  EXPECT_EQ(error.find('\033'), std::string::npos);
  EXPECT_LT(error.size(), 500u);
  ask(*plugin);
  EXPECT_EQ(runs(), 2u);
}

TEST_F(Plugins, ThatAreNotThereAreHintedAt) {
  EXPECT_EQ(ask(*plugin_at("fairlead-no-such-plugin")),
            "user 'edge': plugin 'fairlead-no-such-plugin': start fairlead-no-such-plugin: No such file or directory; "
            "get it from plugins.example");
}

TEST_F(Plugins, ThatSayNothingUsefulAreNamed) {
  const std::string named = "user 'edge': plugin '" + (directory_.path() / "plugin").string() + "': ";
  EXPECT_EQ(ask(*plugin("echo secret")), named + "what it wrote is not JSON: syntax error");
  EXPECT_EQ(ask(*plugin("head -c 1048577 /dev/zero")), named + "it wrote more than 1048576 bytes");
  timing_.plugin_deadline = milliseconds(200);
  EXPECT_EQ(ask(*plugin("sleep 600")), named + "it did not end within 200 ms");
}

TEST_F(Plugins, EndWithTheirLoop) {
  const auto plugin = this->plugin("sleep 600");
  {
    boost::asio::io_context io;
    const auto outcome = begin(io, plugin->identity());
    ASSERT_TRUE(runs_until(io, [&] { return runs() == 1; }));
    EXPECT_FALSE(*outcome);
  }
  EXPECT_EQ(plugin.use_count(), 1);
  write_script(directory_, "plugin", gives("abc"));
  EXPECT_EQ(ask(*plugin), "Bearer abc") << "another loop can go on";
}

}  // namespace
}  // namespace fairlead::kube
