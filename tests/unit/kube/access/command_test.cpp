// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/command.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>

#include "tests/support/eventually.h"
#include "tests/unit/kube/access/awaiting.h"
#include "tests/unit/kube/access/scripts.h"

namespace fairlead::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Commands : public testing::Test {
 protected:
  Result<CommandResult> shell(const std::string& script, CommandLimits limits = {}) {
    return await(io_, run_command({{"sh", "-c", script}, {"PATH=/usr/bin:/bin", "GIVEN=this"}}, limits));
  }
  static std::string said(const Result<CommandResult>& result) {
    if (!result) return result.error().message;
    return std::to_string(result->status) + " '" + result->out + "' '" + result->err + "'";
  }
  // Of a process whose number a script writes to this file.
  pid_t written_pid(const std::string& name) const {
    const std::string text = test::content_of(directory_.path() / name);
    return text.ends_with('\n') ? std::stoi(text) : 0;
  }
  std::string path(const std::string& name) const { return directory_.path() / name; }

  boost::asio::io_context io_;
  test::Directory directory_;
};

TEST_F(Commands, GiveStatusAndOutput) {
  EXPECT_EQ(said(shell("echo out; echo err >&2; exit 3")), "3 'out\n' 'err\n'");
  EXPECT_EQ(said(shell("kill -9 $$")), "137 '' ''");
  EXPECT_EQ(said(shell("cat")), "0 '' ''") << "there is no input";
}

TEST_F(Commands, HaveTheEnvironmentThatTheyAreGiven) {
  ::setenv("FAIRLEAD_UNIT_TEST", "ours", 1);
  EXPECT_EQ(said(shell("echo $GIVEN $FAIRLEAD_UNIT_TEST")), "0 'this\n' ''");
  ::unsetenv("FAIRLEAD_UNIT_TEST");
}

TEST_F(Commands, ThatCannotBeStartedAreToldByTheirError) {
  const auto missing = await(io_, run_command({{path("none")}, {}}, {}));
  EXPECT_EQ(said(missing), "start " + path("none") + ": No such file or directory");
  EXPECT_EQ(missing.error().code, ENOENT);
  directory_.write("text", "x");
  EXPECT_EQ(said(await(io_, run_command({{path("text")}, {}}, {}))), "start " + path("text") + ": Permission denied");
}

TEST_F(Commands, MayWriteMoreThanAPipeHolds) {
  const auto result = shell("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->out.size(), 1'000'000u);
  EXPECT_EQ(result->err.size(), 4096u) << "only the first of it is kept";
}

TEST_F(Commands, AreKilledWhenTheyWriteTooMuch) {
  CommandLimits limits;
  limits.out = 100'000;
  EXPECT_EQ(said(shell("head -c 100000 /dev/zero >&2; head -c 100000 /dev/zero", limits)).substr(0, 3), "0 '");
  EXPECT_EQ(said(shell("head -c 100001 /dev/zero", limits)), "it wrote more than 100000 bytes");
  EXPECT_EQ(said(shell("echo $$ > " + path("pid") + "; cat /dev/zero", limits)), "it wrote more than 100000 bytes");
  EXPECT_EQ(::kill(written_pid("pid"), 0), -1) << "it was waited for";
}

TEST_F(Commands, AreKilledWithTheirChildrenWhenTheyTakeTooLong) {
  CommandLimits limits;
  limits.deadline = milliseconds(300);
  const auto begun = std::chrono::steady_clock::now();
  const std::string script = "echo begun; sleep 600 & echo $! > " + path("pid") + "; wait";
  EXPECT_EQ(said(shell(script, limits)), "it did not end within 300 ms");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(60));
  const pid_t child = written_pid("pid");
  ASSERT_GT(child, 0);
  EXPECT_TRUE(test::eventually(seconds(10), [&] { return !is_running(child); }));
}

TEST_F(Commands, AreNotWaitedForBecauseOfWhatTheyLeaveBehind) {
  const auto begun = std::chrono::steady_clock::now();
  const auto result = shell("sleep 600 & echo $!");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(60));
  ASSERT_TRUE(result) << result.error().message;
  const pid_t left = std::stoi(result->out);
  EXPECT_TRUE(is_running(left));
  ::kill(left, SIGKILL);
}

TEST_F(Commands, EndWithThoseWhoAwaitThem) {
  pid_t pid = 0;
  {
    boost::asio::io_context io;
    const auto outcome = begin(
        io, run_command({{"/bin/sh", "-c", "echo $$ > " + path("pid") + "; cat /dev/zero >&2"}, {"PATH=/usr/bin:/bin"}},
                        {}));
    ASSERT_TRUE(runs_until(io, [&] { return (pid = written_pid("pid")) != 0; }));
    EXPECT_TRUE(is_running(pid));
    EXPECT_FALSE(*outcome);
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST_F(Commands, IgnoreNoSignalThatWeIgnore) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(said(shell("kill -PIPE $$")), "141 '' ''");
  ::signal(SIGPIPE, before);
}

}  // namespace
}  // namespace fairlead::kube
