// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <sstream>

#include "tests/e2e/following.h"

// An API server that says nothing any more is not one that has nothing to say.
namespace fairlead::test {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr seconds kNoticed{30};
// Once the server speaks again: as long as a try that it met with silence, and the wait for the next.
constexpr seconds kBack{15};

class Silence : public Following {
 protected:
  void TearDown() override {
    if (frozen_) thaw();
    if (filtered_) unfilter();
    Following::TearDown();
  }

  // Its process stops: the kernel goes on taking connections and what they bring.
  void freeze() {
    frozen_ = true;
    ASSERT_TRUE(proxy().freeze());
  }
  void thaw() {
    ASSERT_TRUE(proxy().thaw());
    frozen_ = false;
  }

  // Nothing passes between it and lbd any more; of connections from these ports, if any are given.
  void filter(const std::string& ports = "") {
    filtered_ = true;
    const std::string ours = ports.empty() ? "" : " tcp sport {" + ports + "}";
    const std::string theirs = ports.empty() ? "" : " tcp dport {" + ports + "}";
    const std::string port = server_port();
    nft("table inet silence { chain in { type filter hook input priority 0; tcp dport " + port + ours +
        " drop; }; chain out { type filter hook output priority 0; tcp sport " + port + theirs + " drop; }; }");
  }
  void unfilter() {
    filtered_ = false;
    nft("delete table inet silence");
  }

  // The ports of this node's connections to the server, with commas.
  std::string connections() {
    const auto text = lab().run_in(lab().node(1), {"ss", "-Htn", "state", "established", "dport = :" + server_port()});
    EXPECT_TRUE(text) << text.error().message;
    std::istringstream lines(text ? *text : "");
    std::string ports;
    for (std::string ignored, local, peer; lines >> ignored >> ignored >> local >> peer;)
      ports += (ports.empty() ? "" : ",") + local.substr(local.rfind(':') + 1);
    return ports;
  }

  void add_service(const std::string& name) const {
    ASSERT_NO_FATAL_FAILURE(apply("apiVersion: v1\nkind: Service\nmetadata: {name: " + name +
                                  "}\nspec: {type: NodePort, ports: [{port: 80}]}\n"));
  }
  bool has_service(const std::string& name) {
    return daemon().lbctl({"service", "show", name_space() + "/" + name}).status() == 0;
  }
  std::string status() { return daemon().lbctl({"status"}).out(); }
  std::string problems() { return daemon().lbctl({"problems"}).out(); }
  bool is_in_sync() { return status().find(": in sync") != std::string::npos; }

  // What comes up while nothing is heard, and what becomes of it.
  void expect_noticed() {
    EXPECT_TRUE(eventually(kNoticed, [&] { return !is_in_sync(); })) << status();
    EXPECT_THAT(status(), HasSubstr("NOT FOLLOWED for "));
    EXPECT_THAT(problems(), HasSubstr("is not heard any more"));
    EXPECT_THAT(daemon().log(), HasSubstr("is not heard any more"));
    EXPECT_THAT(daemon().log(), Not(HasSubstr("solved: https://")));
  }
  void expect_back(const std::string& changed_meanwhile) {
    EXPECT_TRUE(eventually(kBack, [&] { return has_service(changed_meanwhile); }));
    EXPECT_TRUE(eventually(kBack, [&] { return is_in_sync(); })) << status();
    EXPECT_THAT(problems(), Not(HasSubstr("https://")));
    EXPECT_TRUE(eventually(kBack, [&] { return daemon().log().find("solved: https://") != std::string::npos; }));
  }

 private:
  std::string server_port() {
    const std::string server = proxy().server();
    return server.substr(server.rfind(':') + 1);
  }
  void nft(const std::string& command) const {
    const auto done = lab().run_in(lab().router(), {"nft", command});
    ASSERT_TRUE(done) << done.error().message;
  }

  bool frozen_ = false, filtered_ = false;
};

TEST_F(Silence, OfAHungServerIsNoticedAndOver) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(freeze());
  expect_noticed();
  ASSERT_NO_FATAL_FAILURE(add_service("meanwhile"));
  // Tries that meet it do not look like an end of it.
  EXPECT_FALSE(eventually(kBack, [&] { return is_in_sync() || daemon().log().find("solved: ") != std::string::npos; }));
  ASSERT_NO_FATAL_FAILURE(thaw());
  expect_back("meanwhile");
  expect_exact();
}

TEST_F(Silence, OfAServerThatNothingReachesIsNoticedAndOver) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(filter());
  expect_noticed();
  ASSERT_NO_FATAL_FAILURE(add_service("meanwhile"));
  ASSERT_NO_FATAL_FAILURE(unfilter());
  expect_back("meanwhile");
  expect_exact();
}

// As after a lost NAT entry, or a machine's sleep: the server answers whoever asks anew.
TEST_F(Silence, OfConnectionsThatNobodyKnowsAnyMoreLosesNothing) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string known = connections();
  ASSERT_GE(std::count(known.begin(), known.end(), ','), 2) << known;
  ASSERT_NO_FATAL_FAILURE(filter(known));
  ASSERT_NO_FATAL_FAILURE(add_service("meanwhile"));
  EXPECT_TRUE(eventually(kNoticed, [&] { return has_service("meanwhile"); })) << status();
}

}  // namespace
}  // namespace fairlead::test
