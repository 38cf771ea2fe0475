// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "tests/lab/leftovers.h"
#include "tests/lab/scenario.h"

// What others have pinned below lbd's pin directory, and what lbds have left elsewhere.
namespace fairlead::test {
namespace {

namespace fs = std::filesystem;

using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;
using Programs = std::set<std::string>;

class ForeignPins : public Scenario {
 protected:
  void SetUp() override {
    Scenario::SetUp();
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 1, .pods = 1}));
  }

  const Node& node() const { return lab_->node(1); }
  std::string pin(const std::string& name) const { return node().pins + "/" + name; }

  void restart(const DaemonOptions& options = {}) {
    stop();
    daemons_.erase(1);
    add_daemon(1, options);
    put({}, {backend(1, 1)});
    ASSERT_NO_FATAL_FAILURE(start_daemons());
  }
  void stop() {
    if (daemons_.contains(1) && daemon().is_running()) {
      EXPECT_EQ(daemon().stop(), 0);
    }
  }

  void shell(const std::string& script) const {
    const auto ran = lab_->run_in(node(), {"sh", "-ec", script});
    ASSERT_TRUE(ran) << ran.error().message;
  }
  void make_map(const std::string& at, const std::string& type = "array") const {
    shell("bpftool map create " + at + " type " + type + " key 4 value 4 entries 1 name theirs");
  }

  // Its status and what it says.
  std::pair<int, std::string> clean_up(const DaemonOptions& options = {}) {
    auto process = Daemon(*lab_, node(), options).start_another({}, {"--cleanup"});
    EXPECT_TRUE(process) << process.error().message;
    const int status = process->wait(seconds(20)).value_or(-1);
    return {status, process->out() + process->err()};
  }
};

// By their names, or by what they are.
TEST_F(ForeignPins, StayWhereTheyAre) {
  ASSERT_NO_FATAL_FAILURE(restart());
  stop();
  fs::create_directories(pin("v7"));
  fs::create_directories(pin("v8"));
  fs::create_directories(pin("maps/things"));
  std::vector<std::string> foreign{pin("v8"), pin("maps/things")};
  for (const char* name : {"maps/theirs", "maps/theirs-v3", "maps/lb_rings-v77", "layouts/theirs",
                           "layouts/lb_rings-v77", "links/theirs", "v7/theirs", "v7/lb_flow4"}) {
    make_map(pin(name));
    foreign.push_back(pin(name));
  }
  // Of the type whose number is that of an XDP link.
  make_map(pin("links/xdp-9-9"), "percpu_array");
  foreign.push_back(pin("links/xdp-9-9"));
  ASSERT_NO_FATAL_FAILURE(restart());
  for (const std::string& path : foreign)
    EXPECT_TRUE(fs::exists(path)) << path << " after a start";
  stop();

  const auto [status, said] = clean_up();
  EXPECT_EQ(status, 0) << said;
  for (const std::string& path : foreign) {
    EXPECT_TRUE(fs::exists(path)) << path;
    EXPECT_THAT(said, HasSubstr(path));
  }
  EXPECT_EQ(programs_on(*lab_, node()), Programs{});
  shell("rm -r " + pin("v7") + " " + pin("maps/theirs-v3") + "; ls " + pin("maps"));
  for (const auto& entry : fs::directory_iterator(pin("maps")))
    EXPECT_THAT((std::set<std::string>{"theirs", "things", "lb_rings-v77"}),
                testing::Contains(entry.path().filename().string()));
  fs::remove_all(node().pins);
}

TEST_F(ForeignPins, InThePlaceOfAMapAreNamedAndStay) {
  ASSERT_NO_FATAL_FAILURE(restart());
  const std::string flows = *lab_->run_in(node(), {"sh", "-c", "printf %s " + pin("maps/lb_flow4-v*")});
  fs::remove(flows);
  make_map(flows);
  EXPECT_TRUE(eventually(kSoon, [&] { return !problems().empty(); }));
  EXPECT_THAT(problems(), testing::ElementsAre(testing::AllOf(HasSubstr(flows), HasSubstr("theirs"))));
  EXPECT_EQ(bpftool(*lab_, node(), {"map", "show", "pinned", flows}).at("name"), "theirs");
  stop();
  const auto refused = daemon().start();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr(flows));
  EXPECT_EQ(bpftool(*lab_, node(), {"map", "show", "pinned", flows}).at("name"), "theirs");
  fs::remove(flows);
  ASSERT_NO_FATAL_FAILURE(restart());
  expect_clean_end(*lab_, daemon());
}

// Also where the directory that is given is there, so that the other's links are moved to it first.
TEST_F(ForeignPins, OfAnotherLbdAreNamedByCleanUp) {
  ASSERT_NO_FATAL_FAILURE(restart({.more = {{"--bpffs-path", pin("other")}}}));
  stop();
  const auto [status, said] = clean_up();
  EXPECT_EQ(status, 1) << said;
  EXPECT_THAT(said, HasSubstr("whose maps stay: --cleanup --bpffs-path " + pin("other") + " removes them"));
  EXPECT_EQ(programs_on(*lab_, node()), Programs{});
  fs::remove_all(node().pins);
}

// With tc alone there is no link that leads to them.
TEST_F(ForeignPins, OfADirectoryThatWasRenamedAreNamedByCleanUp) {
  ASSERT_NO_FATAL_FAILURE(restart({.xdp_mode = "off"}));
  stop();
  const std::string renamed = node().pins + "-renamed";
  fs::rename(node().pins, renamed);
  const auto [status, said] = clean_up();
  EXPECT_EQ(status, 1) << said;
  EXPECT_THAT(said, HasSubstr("--bpffs-path " + renamed + " removes them"));
  EXPECT_EQ(programs_on(*lab_, node()), Programs{});
  fs::remove_all(renamed);
}

// Its pin is in a bpf file system that lbd does not look into, and without CAP_SYS_ADMIN nobody may ask whose it is.
TEST_F(ForeignPins, AProgramThatMayBeOursIsNamedWithItsDevice) {
  const DaemonOptions confined{.launcher = {"setpriv", "--bounding-set=-sys_admin"}};
  ASSERT_NO_FATAL_FAILURE(restart());
  stop();
  const std::string elsewhere = "/tmp/fairlead-elsewhere-" + std::to_string(getpid());
  const std::string link = "$(ls " + pin("links/xdp-*") + ")";
  shell("mkdir -p " + elsewhere + "; mount -t bpf bpf " + elsewhere + "; bpftool link pin pinned " + link + " " +
        elsewhere + "/xdp; rm " + link);
  const auto net = bpftool(*lab_, node(), {"net"});
  const std::string id = std::to_string(net.at(0).at("xdp").at(0).at("id").to_number<std::int64_t>());

  ASSERT_NO_FATAL_FAILURE(restart(confined));
  EXPECT_THAT(daemon().query<admin::StatusView>({"status"})->devices.at(0).note, HasSubstr("id " + id));
  stop();
  const auto [status, said] = clean_up(confined);
  EXPECT_EQ(status, 1) << said;
  EXPECT_THAT(said, testing::AllOf(HasSubstr("eth0"), HasSubstr("id " + id), HasSubstr("CAP_SYS_ADMIN")));
  const auto [may_ask, end] = clean_up();
  EXPECT_EQ(may_ask, 1) << end;
  EXPECT_THAT(end, HasSubstr("maps of the programs stay")) << "with the link that has them";
  EXPECT_EQ(programs_on(*lab_, node()), Programs{});
  run({"umount", elsewhere}, seconds(20)).has_value();
  fs::remove(elsewhere);
  EXPECT_FALSE(fs::exists(node().pins)) << end;
}

}  // namespace
}  // namespace fairlead::test
