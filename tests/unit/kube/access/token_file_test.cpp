// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/user_credentials.h"

#include <gtest/gtest.h>

#include "tests/support/directory.h"
#include "tests/unit/kube/access/awaiting.h"

namespace fairlead::kube {
namespace {

using std::chrono::seconds;

class TokenFiles : public testing::Test {
 protected:
  std::string path() const { return directory_.path() / "token"; }
  static std::string said(const Result<std::string>& result) { return result ? *result : result.error().message; }

  test::Directory directory_;
  HandClock clock_;
};

TEST_F(TokenFiles, AreReadAgainWhenAMinuteHasPassed) {
  directory_.write("token", "one\n");
  TokenFile file(path(), {}, clock_.timing());
  EXPECT_EQ(said(file.authorization()), "Bearer one");
  directory_.write("token", " two \n");
  clock_.time += seconds(59);
  EXPECT_EQ(said(file.authorization()), "Bearer one");
  clock_.time += seconds(1);
  EXPECT_EQ(said(file.authorization()), "Bearer two");
}

TEST_F(TokenFiles, AreReadAgainWhenTheClockWasSetBack) {
  directory_.write("token", "one");
  TokenFile file(path(), {}, clock_.timing());
  EXPECT_EQ(said(file.authorization()), "Bearer one");
  directory_.write("token", "two");
  clock_.time -= std::chrono::hours(1);
  EXPECT_EQ(said(file.authorization()), "Bearer two");
}

TEST_F(TokenFiles, AreReadAgainWhenRejected) {
  directory_.write("token", "one");
  TokenFile file(path(), {}, clock_.timing());
  EXPECT_EQ(said(file.authorization()), "Bearer one");
  directory_.replace("token", "two");
  file.reject();
  EXPECT_EQ(said(file.authorization()), "Bearer two");
}

TEST_F(TokenFiles, TheLastTokenServesWhileThereIsNoOtherAndItIsAccepted) {
  directory_.write("token", "one");
  TokenFile file(path(), {}, clock_.timing());
  EXPECT_EQ(said(file.authorization()), "Bearer one");
  directory_.remove("token");
  clock_.time += seconds(90);
  EXPECT_EQ(said(file.authorization()), "Bearer one");
  file.reject();
  EXPECT_EQ(said(file.authorization()), path() + " cannot be read: No such file or directory");
  directory_.write("token", "two");
  EXPECT_EQ(said(file.authorization()), "Bearer two") << "at once, not a minute later";
}

TEST_F(TokenFiles, AFallbackServesUntilThereIsAFile) {
  TokenFile file(path(), "Bearer given", clock_.timing());
  EXPECT_EQ(said(file.authorization()), "Bearer given");
  directory_.write("token", "one");
  EXPECT_EQ(said(file.authorization()), "Bearer one");
}

TEST_F(TokenFiles, WhatIsNoTokenIsNotQuoted) {
  TokenFile file(path(), {}, clock_.timing());
  directory_.write("token", " \n");
  EXPECT_EQ(said(file.authorization()), path() + ": the token is empty");
  directory_.write("token", "secret\nX-Header: 1");
  EXPECT_EQ(said(file.authorization()), path() + ": the token has characters that no token may have");
}

}  // namespace
}  // namespace fairlead::kube
