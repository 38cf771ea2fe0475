// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <functional>
#include <memory>
#include <thread>

#include "tests/support/refuse.h"
#include "tests/unit/source/following.h"

// How a source that was started follows its directory. Rechecks are ten minutes apart unless a test says otherwise:
// what is noticed was told by the kernel.
namespace fairlead::source {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::IsEmpty;
using testing::SizeIs;

class Watch : public testing::Test {
 protected:
  // True when the service's port is this, at once or soon.
  bool becomes(Following& following, const std::string& name, int port) {
    return following.runs_until([&] { return following.port_of(name) == port; });
  }

  test::Directory directory;
};

TEST_F(Watch, ScansAtOnce) {
  directory.write("a.yaml", service_text("a"));
  Following following(directory);
  ASSERT_TRUE(following.source.start());
  EXPECT_EQ(following.syncs, 1);
  EXPECT_EQ(following.port_of("a"), 80);
}

TEST_F(Watch, SeesFilesWrittenReplacedMovedAndDeleted) {
  Following following(directory);
  ASSERT_TRUE(following.source.start());
  directory.write("a.yaml", service_text("a"));
  EXPECT_TRUE(becomes(following, "a", 80));
  directory.write("a.yaml", service_text("a", 81));
  EXPECT_TRUE(becomes(following, "a", 81));
  directory.replace("a.yaml", service_text("a", 82));
  EXPECT_TRUE(becomes(following, "a", 82));
  fs::rename(directory.path() / "a.yaml", directory.outside("a.yaml"));
  EXPECT_TRUE(becomes(following, "a", 0));
  fs::rename(directory.outside("a.yaml"), directory.path() / "a.yaml");
  EXPECT_TRUE(becomes(following, "a", 82));
  directory.remove("a.yaml");
  EXPECT_TRUE(becomes(following, "a", 0));
}

TEST_F(Watch, SeesFilesThatAreLinkedIn) {
  Following following(directory);
  ASSERT_TRUE(following.source.start());
  std::ofstream(directory.outside("a.yaml")) << service_text("a");
  std::ofstream(directory.outside("b.yaml")) << service_text("b");
  fs::create_symlink(directory.outside("a.yaml"), directory.path() / "a.yaml");
  EXPECT_TRUE(becomes(following, "a", 80));
  fs::create_hard_link(directory.outside("b.yaml"), directory.path() / "b.yaml");
  EXPECT_TRUE(becomes(following, "b", 80));
}

// A ConfigMap that is mounted as a volume: the files lie behind ..data, which is swapped for a new version of them all.
TEST_F(Watch, SeesAConfigMapChangeAsOneChange) {
  fs::create_directory(directory.path() / "..1");
  directory.write("..1/a.yaml", service_text("a"));
  directory.write("..1/b.yaml", service_text("b"));
  fs::create_symlink("..1", directory.path() / "..data");
  fs::create_symlink("..data/a.yaml", directory.path() / "a.yaml");
  fs::create_symlink("..data/b.yaml", directory.path() / "b.yaml");
  Following following(directory);
  ASSERT_TRUE(following.source.start());
  EXPECT_EQ(following.port_of("a"), 80);

  fs::create_directory(directory.path() / "..2");
  directory.write("..2/a.yaml", service_text("a", 81));
  directory.write("..2/b.yaml", service_text("b", 81));
  fs::create_symlink("..2", directory.path() / "..data_tmp");
  fs::rename(directory.path() / "..data_tmp", directory.path() / "..data");
  directory.remove("..1");
  EXPECT_TRUE(becomes(following, "a", 81));
  EXPECT_EQ(following.port_of("b"), 81);
  EXPECT_EQ(following.syncs, 2);
  EXPECT_THAT(following.told, IsEmpty());
}

TEST_F(Watch, ABurstIsOneChange) {
  Following following(directory);
  ASSERT_TRUE(following.source.start());
  for (int i = 0; i < 50; ++i)
    directory.write("f" + std::to_string(i) + ".yaml", service_text("s" + std::to_string(i)));
  EXPECT_TRUE(following.runs_until([&] { return following.syncs == 2; }));
  EXPECT_THAT(following.store.services(), SizeIs(50));
}

// A writer that never rests: what it wrote is in force while it still writes.
TEST_F(Watch, ABurstWithoutAnEndIsAppliedOnTheWay) {
  auto options = Following::options_for(directory);
  options.timing.quiet = milliseconds(1000);
  options.timing.at_most = milliseconds(200);
  Following following(options);
  ASSERT_TRUE(following.source.start());
  boost::asio::steady_timer timer(following.io);
  int writes = 0;
  std::function<void()> write = [&] {
    directory.write("a.yaml", service_text("a", 1000 + ++writes));
    timer.expires_after(milliseconds(5));
    timer.async_wait([&](boost::system::error_code error) {
      if (!error) write();
    });
  };
  const auto begin = steady_clock::now();
  write();
  EXPECT_TRUE(following.runs_until([&] { return following.port_of("a") != 0; }, milliseconds(5000)));
  EXPECT_GT(writes, 3);
  EXPECT_GE(steady_clock::now() - begin, milliseconds(200));
  EXPECT_LT(steady_clock::now() - begin, milliseconds(1000)) << "that is how long there would have to be quiet";
}

// Time, size and inode are those of the version that was read, but the kernel has said that it was written.
TEST_F(Watch, BelievesTheKernelMoreThanTheClock) {
  directory.write("a.yaml", service_text("a", 81));
  Following following(directory);
  ASSERT_TRUE(following.source.start());
  const auto time = fs::last_write_time(directory.path() / "a.yaml");
  directory.write("a.yaml", service_text("a", 82));
  fs::last_write_time(directory.path() / "a.yaml", time);
  EXPECT_TRUE(becomes(following, "a", 82));
}

// As above, but what the kernel had to say is lost: more than it keeps happens in between.
TEST_F(Watch, ReadsEverythingAgainWhenEventsWereLost) {
  directory.write("a.yaml", service_text("a", 81));
  Following following(directory);
  ASSERT_TRUE(following.source.start());
  following.io.poll();
  std::size_t limit = 0;
  ASSERT_TRUE(std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit);
  for (std::size_t i = 0; i < limit; ++i)
    directory.write(i % 2 ? ".one" : ".two", "");
  const auto time = fs::last_write_time(directory.path() / "a.yaml");
  directory.write("a.yaml", service_text("a", 82));
  fs::last_write_time(directory.path() / "a.yaml", time);
  EXPECT_TRUE(becomes(following, "a", 82));
}

// For want of memory, say: from then on only the rechecks found what changed.
TEST_F(Watch, ListensAgainAfterAReadThatFailed) {
  if (geteuid()) GTEST_SKIP() << "needs root, to have a read refused";
  Following following(directory);
  ASSERT_TRUE(following.source.start());
  following.io.poll();
  directory.write("a.yaml", service_text("a", 81));
  std::thread([&] {
    for (const long call : {SYS_read, SYS_readv})
      test::refuse_call(call, ENOMEM);
    following.io.run_one();
  }).join();
  EXPECT_TRUE(becomes(following, "a", 81));
  directory.write("a.yaml", service_text("a", 82));
  EXPECT_TRUE(becomes(following, "a", 82));
}

TEST_F(Watch, ADirectoryThatGoesKeepsWhatItSaidUntilItIsBack) {
  directory.write("a.yaml", service_text("a"));
  Following following(directory);
  ASSERT_TRUE(following.source.start());
  fs::rename(directory.path(), directory.outside("elsewhere"));
  EXPECT_TRUE(following.runs_until([&] { return !following.problems().empty(); }));
  EXPECT_EQ(following.port_of("a"), 80);
  directory.write("../elsewhere/a.yaml", service_text("a", 81));
  fs::create_directory(directory.path());
  directory.write("a.yaml", service_text("a", 82));
  EXPECT_TRUE(becomes(following, "a", 82));
  EXPECT_THAT(following.problems(), IsEmpty());
  directory.write("a.yaml", service_text("a", 83));
  EXPECT_TRUE(becomes(following, "a", 83)) << "it is watched again";
}

TEST_F(Watch, ADirectoryThatIsDeletedKeepsWhatItSaidUntilItIsBack) {
  Following following(directory);
  ASSERT_TRUE(following.source.start());
  fs::remove_all(directory.path());
  EXPECT_TRUE(following.runs_until([&] { return !following.problems().empty(); }));
  fs::create_directory(directory.path());
  directory.write("a.yaml", service_text("a"));
  EXPECT_TRUE(becomes(following, "a", 80));
  directory.write("a.yaml", service_text("a", 81));
  EXPECT_TRUE(becomes(following, "a", 81));
}

TEST_F(Watch, ADirectoryThatIsReplacedAtOnceIsFollowed) {
  Following following(directory);
  ASSERT_TRUE(following.source.start());
  fs::create_directory(directory.outside("new"));
  std::ofstream(directory.outside("new") / "a.yaml") << service_text("a");
  fs::rename(directory.path(), directory.outside("old"));
  fs::rename(directory.outside("new"), directory.path());
  EXPECT_TRUE(becomes(following, "a", 80));
  directory.write("a.yaml", service_text("a", 81));
  EXPECT_TRUE(becomes(following, "a", 81));
  EXPECT_THAT(following.told, IsEmpty());
}

TEST_F(Watch, WaitsForADirectoryThatIsNotThereYet) {
  fs::remove_all(directory.path());
  Following following(directory);
  ASSERT_TRUE(following.source.start());
  EXPECT_EQ(following.syncs, 0);
  EXPECT_THAT(following.told, SizeIs(1));
  fs::create_directory(directory.path());
  EXPECT_TRUE(following.runs_until([&] { return following.syncs == 1; }));
  EXPECT_EQ(following.solved, following.told);
}

TEST_F(Watch, RechecksWhatTheKernelDoesNotTell) {
  std::ofstream(directory.outside("a.yaml")) << service_text("a");
  fs::create_symlink(directory.outside("a.yaml"), directory.path() / "a.yaml");
  auto options = Following::options_for(directory);
  options.timing.recheck = milliseconds(20);
  Following following(options);
  ASSERT_TRUE(following.source.start());
  std::ofstream(directory.outside("a.yaml")) << service_text("a", 8080);
  EXPECT_TRUE(becomes(following, "a", 8080));
}

// A handler that is due already can't be cancelled any more.
TEST_F(Watch, MayEndWhenAHandlerIsDue) {
  boost::asio::io_context io;
  model::Store store;
  auto source = std::make_unique<FileSource>(io, Following::options_for(directory), store, Handlers{});
  ASSERT_TRUE(source->start());
  directory.write("a.yaml", service_text("a"));
  while (io.run_one_for(milliseconds(5)) == 0) {
  }
  boost::asio::post(io, [&] {
    std::this_thread::sleep_for(milliseconds(50));  // until the change is due
    boost::asio::post(io, [&] { source.reset(); });
  });
  io.run_for(milliseconds(1000));
  EXPECT_FALSE(source);
  EXPECT_TRUE(io.stopped()) << "nothing is left to wait for";
  EXPECT_THAT(store.services(), IsEmpty());
}

// It may take longer to fill than there is to wait after a change.
TEST_F(Watch, ADirectoryThatIsBackIsGivenTimeToFill) {
  directory.write("a.yaml", service_text("a"));
  auto options = Following::options_for(directory);
  options.timing.quiet = milliseconds(400);
  options.timing.at_most = milliseconds(5000);
  Following following(options);
  ASSERT_TRUE(following.source.start());
  fs::remove_all(directory.path());
  EXPECT_TRUE(following.runs_until([&] { return !following.problems().empty(); }));
  fs::create_directory(directory.path());
  following.runs_until([&] { return following.problems().empty(); }, milliseconds(100));
  directory.write("a.yaml", service_text("a", 81));
  EXPECT_TRUE(becomes(following, "a", 81));
  EXPECT_EQ(following.syncs, 2) << "it never seemed to be empty";
}

TEST_F(Watch, MayEndWhileSomethingIsUnderWay) {
  boost::asio::io_context io;
  model::Store store;
  auto source = std::make_unique<FileSource>(io, Following::options_for(directory), store, Handlers{});
  ASSERT_TRUE(source->start());
  directory.write("a.yaml", service_text("a"));
  io.run_one();
  source.reset();
  EXPECT_LT(io.run_for(milliseconds(1000)), 10u);
  EXPECT_TRUE(io.stopped()) << "nothing is left to wait for";
  EXPECT_THAT(store.services(), IsEmpty());
}

}  // namespace
}  // namespace fairlead::source
