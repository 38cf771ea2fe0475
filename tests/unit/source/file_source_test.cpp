// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/file_source.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/source/following.h"

// What one scan after another makes of a directory; nothing here waits for anything.
namespace fairlead::source {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// A file's time and size tell nothing about what is written into it from now on.
void write_unnoticed(const fs::path& file, std::string_view text) {
  struct stat before{};
  ASSERT_EQ(::stat(file.c_str(), &before), 0);
  std::ofstream(file) << text;
  const timespec times[] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
}

TEST(FileSource, ReadsTheManifestsOfItsDirectory) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("a"));
  directory.write("b.yml", service_text("b") + "---\n" + service_text("b2"));
  directory.write("c.json", R"({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "c"},
                                "spec": {"ports": [{"port": 80}]}})");
  directory.write(".hidden.yaml", service_text("hidden"));
  directory.write("README.txt", service_text("readme"));
  fs::create_directory(directory.path() / "below");
  directory.write("below/d.yaml", service_text("d"));
  Following following(directory);
  EXPECT_TRUE(following.source.scan());
  EXPECT_THAT(following.problems(), IsEmpty());
  EXPECT_THAT(following.store.services(), SizeIs(4));
  for (const char* name : {"a", "b", "b2", "c"})
    EXPECT_EQ(following.port_of(name), 80) << name;
  EXPECT_TRUE(following.source.unread().empty());
}

TEST(FileSource, TellsOfTheFirstStateAndOfChanges) {
  const test::Directory directory;
  Following following(directory);
  following.source.scan();
  EXPECT_EQ(following.syncs, 1) << "an empty state is a state";
  following.source.scan();
  EXPECT_EQ(following.syncs, 1);
  directory.write("a.yaml", service_text("a"));
  following.source.scan();
  EXPECT_EQ(following.syncs, 2);
  directory.write("a.yaml", "# now with a comment\n" + service_text("a"));
  following.source.scan();
  EXPECT_EQ(following.syncs, 2) << "the objects are the same";
}

TEST(FileSource, WritesOnlyDifferencesIntoTheStore) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("a") + "---\n" + service_text("a2"));
  directory.write("b.yaml", service_text("b"));
  Following following(directory);
  following.source.scan();
  following.store.take_changed();
  directory.write("a.yaml", service_text("a") + "---\n" + service_text("a2", 8080));
  following.source.scan();
  EXPECT_THAT(following.store.take_changed().services, ElementsAre(model::Name{"default", "a2"}));
  EXPECT_EQ(following.port_of("a2"), 8080);
}

TEST(FileSource, ADeletedFileTakesItsObjectsAlong) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("a"));
  directory.write("b.yaml", service_text("b") + R"(
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: a-1, labels: {kubernetes.io/service-name: a}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1]}]
)");
  Following following(directory);
  following.source.scan();
  EXPECT_THAT(following.store.slices(), SizeIs(1));
  directory.remove("b.yaml");
  following.source.scan();
  EXPECT_EQ(following.port_of("a"), 80);
  EXPECT_EQ(following.port_of("b"), 0);
  EXPECT_THAT(following.store.slices(), IsEmpty());
}

TEST(FileSource, ARenamedFileChangesNothing) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("a"));
  Following following(directory);
  following.source.scan();
  following.store.take_changed();
  fs::rename(directory.path() / "a.yaml", directory.path() / "z.yaml");
  following.source.scan();
  EXPECT_TRUE(following.store.take_changed().empty());
  EXPECT_EQ(following.port_of("a"), 80);
}

TEST(FileSource, OnlyThisNodeCounts) {
  const test::Directory directory;
  directory.write("nodes.yaml", R"(
apiVersion: v1
kind: Node
metadata: {name: other}
---
apiVersion: v1
kind: Node
metadata: {name: edge, labels: {topology.kubernetes.io/zone: zone-1}}
)");
  Following following(directory);
  following.source.scan();
  ASSERT_TRUE(following.store.node());
  EXPECT_EQ(following.store.node()->zone, "zone-1");
  directory.remove("nodes.yaml");
  following.source.scan();
  EXPECT_FALSE(following.store.node());
  EXPECT_EQ(following.syncs, 2);
}

TEST(FileSource, AnUnreadableFileKeepsItsLastGoodObjects) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("a") + "---\n" + service_text("a2"));
  directory.write("b.yaml", service_text("b"));
  Following following(directory);
  following.source.scan();
  directory.write("a.yaml", service_text("a", 81) + "---\nspec: [\n");
  directory.write("b.yaml", service_text("b", 8081));
  following.source.scan();
  EXPECT_EQ(following.port_of("a"), 80);
  EXPECT_EQ(following.port_of("a2"), 80);
  EXPECT_EQ(following.port_of("b"), 8081);
  EXPECT_TRUE(following.source.unread().empty());
  ASSERT_THAT(following.told, SizeIs(1));
  EXPECT_THAT(following.told[0], HasSubstr("a.yaml, document 2, line 8, column"));
  EXPECT_THAT(following.told[0], HasSubstr("its last good version stays in force"));
  directory.write("a.yaml", service_text("a", 82));
  following.source.scan();
  EXPECT_EQ(following.port_of("a"), 82);
  EXPECT_EQ(following.port_of("a2"), 0);
  EXPECT_EQ(following.solved, following.told);
}

TEST(FileSource, AnUndecodableObjectKeepsItsLastGoodVersion) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("a") + "---\n" + service_text("b"));
  Following following(directory);
  following.source.scan();
  directory.write("a.yaml", broken_text("a") + "---\n" + service_text("b", 81) + "---\n" + service_text("c"));
  following.source.scan();
  EXPECT_EQ(following.port_of("a"), 80);
  EXPECT_EQ(following.port_of("b"), 81);
  EXPECT_EQ(following.port_of("c"), 80);
  EXPECT_THAT(following.problems(),
              ElementsAre("a.yaml, document 1: Service default/a: its last good version stays in force",
                          "a.yaml, document 1: Service default/a: spec.type: X: must be ClusterIP, NodePort, "
                          "LoadBalancer or ExternalName"));
  EXPECT_TRUE(following.source.unread().empty());
  directory.write("a.yaml", service_text("b", 81));
  following.source.scan();
  EXPECT_EQ(following.port_of("a"), 0) << "it is asked for no more";
  EXPECT_THAT(following.problems(), IsEmpty());
}

// Cut off inside of an object, a file still is good YAML more often than not.
TEST(FileSource, AnUndecodableObjectKeepsWhatIsMissingBesideIt) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("a") + "---\n" + service_text("b") + "---\n" + service_text("c"));
  Following following(directory);
  following.source.scan();
  directory.write("a.yaml", service_text("a", 81) + "---\n" + broken_text("b"));
  following.source.scan();
  EXPECT_EQ(following.port_of("a"), 81);
  EXPECT_EQ(following.port_of("b"), 80);
  EXPECT_EQ(following.port_of("c"), 80);
  EXPECT_THAT(following.problems(),
              Contains("a.yaml: Service default/c: is missing now, but stays in force until the rest of the file is "
                       "understood"));
  directory.write("a.yaml", service_text("a", 81) + "---\n" + service_text("b", 82));
  following.source.scan();
  EXPECT_EQ(following.port_of("b"), 82);
  EXPECT_EQ(following.port_of("c"), 0) << "it is asked for no more";
  EXPECT_THAT(following.problems(), IsEmpty());
}

TEST(FileSource, IsNotCompleteWhileSomethingWasNeverUnderstood) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("a"));
  directory.write("b.yaml", "kind: [");
  Following following(directory);
  following.source.scan();
  EXPECT_EQ(following.syncs, 1) << "what is understood is served";
  EXPECT_EQ(following.port_of("a"), 80);
  EXPECT_FALSE(following.source.unread().empty());
  directory.write("b.yaml", broken_text("b"));
  following.source.scan();
  EXPECT_FALSE(following.source.unread().empty());
  directory.write("b.yaml", "apiVersion: v1\nkind: Service\n");
  following.source.scan();
  EXPECT_FALSE(following.source.unread().empty());
  directory.write("b.yaml", service_text("b"));
  following.source.scan();
  EXPECT_TRUE(following.source.unread().empty());
}

TEST(FileSource, SaysOfWhichServicesSomethingWasNeverUnderstood) {
  const test::Directory directory;
  directory.write("a.yaml", broken_text("a"));
  directory.write("b.yaml", broken_slice("b-1", "b"));
  Following following(directory);
  following.source.scan();
  EXPECT_EQ(following.source.unread(), (Unread{false, {{"default", "a"}, {"default", "b"}}}));
  directory.write("b.yaml", broken_slice("b-1", ""));
  following.source.scan();
  EXPECT_TRUE(following.source.unread().anything) << "nobody knows whose slice it is";
  directory.write("a.yaml", service_text("a"));
  directory.write("b.yaml", service_text("b"));
  following.source.scan();
  EXPECT_EQ(following.source.unread(), Unread());
}

// Nothing else has changed, but who waited for completeness must hear of it.
TEST(FileSource, TellsWhenItIsComplete) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("a"));
  directory.write("b.yaml", "kind: [");
  Following following(directory);
  following.source.scan();
  EXPECT_EQ(following.syncs, 1);
  directory.remove("b.yaml");
  following.source.scan();
  EXPECT_TRUE(following.source.unread().empty());
  EXPECT_EQ(following.syncs, 2);
}

TEST(FileSource, TheFileThatSortsFirstHasTheObject) {
  const test::Directory directory;
  directory.write("b.yaml", service_text("web", 82));
  Following following(directory);
  following.source.scan();
  EXPECT_EQ(following.port_of("web"), 82);
  directory.write("a.yaml", service_text("other") + "---\n" + service_text("web", 81));
  following.source.scan();
  EXPECT_EQ(following.port_of("web"), 81);
  const std::string loser = "b.yaml, document 1: Service default/web: is already in a.yaml, document 2, which counts";
  EXPECT_THAT(following.told, ElementsAre(loser));
  directory.remove("a.yaml");
  following.source.scan();
  EXPECT_EQ(following.port_of("web"), 82);
  EXPECT_THAT(following.solved, ElementsAre(loser));
}

TEST(FileSource, WithinAFileTheFirstHasTheObject) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("web", 81) + "---\n" + service_text("web", 82));
  Following following(directory);
  following.source.scan();
  EXPECT_EQ(following.port_of("web"), 81);
  EXPECT_THAT(following.problems(),
              ElementsAre("a.yaml, document 2: Service default/web: is already in a.yaml, document 1, which counts"));
}

TEST(FileSource, AFileThatIsTooLargeIsNotRead) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("a"));
  auto options = Following::options_for(directory);
  options.max_file_bytes = 200;
  Following following(options);
  following.source.scan();
  EXPECT_EQ(following.port_of("a"), 80);
  directory.write("a.yaml", service_text("a", 81) + "#" + std::string(200, 'x') + "\n");
  following.source.scan();
  EXPECT_EQ(following.port_of("a"), 80);
  EXPECT_THAT(following.problems(),
              ElementsAre("a.yaml: is larger than the limit of 200 bytes; its last good version stays in force"));
}

// "cat > a.yaml" empties the file first, and a full disk leaves it so.
TEST(FileSource, AnEmptyFileIsOneThatIsYetToBeWritten) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("a"));
  Following following(directory);
  following.source.scan();
  directory.write("a.yaml", "");
  following.source.scan();
  EXPECT_EQ(following.port_of("a"), 80);
  EXPECT_THAT(following.problems(), SizeIs(1));
  directory.write("a.yaml", "# nothing\n");
  following.source.scan();
  EXPECT_EQ(following.port_of("a"), 0);
  EXPECT_THAT(following.problems(), IsEmpty());
}

TEST(FileSource, AnUnchangedFileIsNotReadAgain) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("a", 81));
  Following following(directory);
  following.source.scan();
  write_unnoticed(directory.path() / "a.yaml", service_text("a", 82));
  following.source.scan();
  EXPECT_EQ(following.port_of("a"), 81);
  fs::last_write_time(directory.path() / "a.yaml", fs::file_time_type::clock::now());
  following.source.scan();
  EXPECT_EQ(following.port_of("a"), 82);
}

TEST(FileSource, AFileReplacedByAnotherOfTheSameTimeAndSizeIsRead) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("a", 81));
  Following following(directory);
  following.source.scan();
  const auto time = fs::last_write_time(directory.path() / "a.yaml");
  directory.replace("a.yaml", service_text("a", 82));
  fs::last_write_time(directory.path() / "a.yaml", time);
  following.source.scan();
  EXPECT_EQ(following.port_of("a"), 82);
}

TEST(FileSource, WhatIsNoFileIsReportedAndNotWaitedFor) {
  const test::Directory directory;
  ASSERT_EQ(::mkfifo((directory.path() / "a.yaml").c_str(), 0600), 0);
  fs::create_directory(directory.path() / "b.yaml");
  fs::create_symlink("nowhere", directory.path() / "c.yaml");
  Following following(directory);
  following.source.scan();
  EXPECT_THAT(following.problems(), ElementsAre("a.yaml: is not a regular file", "b.yaml: is not a regular file",
                                                "c.yaml: cannot be read: No such file or directory"));
  EXPECT_FALSE(following.source.unread().empty());
}

TEST(FileSource, EachProblemIsToldOnce) {
  const test::Directory directory;
  directory.write("a.yaml", broken_text("a"));
  directory.write("b.yaml", "kind: [");
  Following following(directory);
  following.source.scan();
  EXPECT_THAT(following.told, SizeIs(2));
  following.source.scan();
  directory.write("c.yaml", service_text("c"));
  following.source.scan();
  EXPECT_THAT(following.told, SizeIs(2));
  directory.remove("b.yaml");
  following.source.scan();
  EXPECT_THAT(following.told, SizeIs(2));
  EXPECT_THAT(following.solved, SizeIs(1));
  EXPECT_THAT(following.problems(), SizeIs(1));
}

TEST(FileSource, AMissingDirectoryIsNoEmptyState) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("a"));
  fs::rename(directory.path(), directory.outside("elsewhere"));
  Following following(directory);
  const auto scanned = following.source.scan();
  ASSERT_FALSE(scanned);
  EXPECT_EQ(scanned.error().code, ENOENT);
  EXPECT_EQ(following.syncs, 0);
  EXPECT_FALSE(following.source.unread().empty());
  EXPECT_THAT(following.told, ElementsAre(directory.path().string() + ": cannot be read: No such file or directory"));
  fs::rename(directory.outside("elsewhere"), directory.path());
  EXPECT_TRUE(following.source.scan());
  EXPECT_EQ(following.syncs, 1);
  EXPECT_EQ(following.port_of("a"), 80);
  EXPECT_TRUE(following.source.unread().empty());
  fs::rename(directory.path(), directory.outside("elsewhere"));
  EXPECT_FALSE(following.source.scan());
  EXPECT_EQ(following.port_of("a"), 80);
  EXPECT_EQ(following.syncs, 1);
  EXPECT_THAT(following.problems(), ElementsAre(HasSubstr("what was read last stays in force")));
}

TEST(FileSource, KnowsNodesWhereAnyIsTold) {
  const test::Directory directory;
  directory.write("a.yaml", service_text("web"));
  Following following(directory);
  following.source.scan();
  EXPECT_FALSE(following.source.knows_nodes());
  directory.write("b.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: other}\n");
  following.source.scan();
  EXPECT_TRUE(following.source.knows_nodes());
  EXPECT_FALSE(following.store.node());
  directory.remove("b.yaml");
  following.source.scan();
  EXPECT_FALSE(following.source.knows_nodes());
}

}  // namespace
}  // namespace fairlead::source
