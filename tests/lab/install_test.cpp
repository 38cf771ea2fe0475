// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/lab/confined.h"
#include "tests/lab/scenario.h"
#include "tests/support/content.h"

// What `cmake --install` puts on a machine, and lbd as its unit confines it.
namespace fairlead::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

constexpr std::chrono::seconds kPatience{60};

class Install : public Scenario {
 protected:
  void SetUp() override {
    Scenario::SetUp();
    std::string name = fs::temp_directory_path() / "fairlead-install-XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  void TearDown() override {
    Scenario::TearDown();
    fs::remove_all(directory_);
  }

  // Below the directory with a DESTDIR; else the prefix is there itself, as an administrator's own may be.
  void install(const std::string& prefix, const Words& variables = {}) const {
    Words command{"env"};
    command.insert(command.end(), variables.begin(), variables.end());
    command.insert(command.end(), {FAIRLEAD_CMAKE, "--install", FAIRLEAD_BUILD_DIR, "--prefix", prefix});
    const auto installed = run(command, kPatience);
    ASSERT_TRUE(installed) << installed.error().message;
  }

  fs::path unit() const { return directory_ / "lib/systemd/system/lbd.service"; }

  // Of the unit, all lines with that name.
  Words setting(const std::string& name) const {
    Words values;
    std::istringstream lines(content_of(unit()));
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with(name + "=")) values.push_back(line.substr(name.size() + 1));
    return values;
  }

  Capabilities capabilities() const {
    std::istringstream names(setting("CapabilityBoundingSet").at(0));
    Capabilities all{std::istream_iterator<std::string>(names), {}};
    for (std::string& name : all)
      name.erase(0, std::string("CAP_").size());
    return all;
  }

  // Standard error is where what is wrong is said, also where that is no failure.
  static std::string analyze(Words arguments) {
    arguments.insert(arguments.begin(), "systemd-analyze");
    auto process = Process::start(arguments);
    if (!process) return process.error().message;
    EXPECT_EQ(process->wait(kPatience), 0);
    return process->out() + process->err();
  }

  // Confined as the unit says. What it writes is in the lab's places rather than the unit's.
  Words launcher(const Capabilities& capabilities) const {
    Words words = only_writing_to({lab_->node(1).run, "/sys/fs/bpf"});
    const Words setpriv = confined_to(capabilities);
    words.insert(words.end(), setpriv.begin(), setpriv.end());
    return words;
  }

  fs::path directory_;
};

Words files_below(const fs::path& directory) {
  Words files;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (!entry.is_directory() || fs::is_empty(entry)) files.push_back(fs::relative(entry, directory));
  std::sort(files.begin(), files.end());
  return files;
}

TEST_F(Install, PutsEachFileWhereItsReaderLooks) {
  ASSERT_NO_FATAL_FAILURE(install("/usr", {"DESTDIR=" + directory_.string()}));
  Words expected{
      "etc/fairlead/config.yaml",
      "etc/fairlead/manifests",
      "usr/bin/lbctl",
      "usr/lib/systemd/system/lbd.service",
      "usr/sbin/lbd",
      "usr/share/bash-completion/completions/lbctl",
      "usr/share/doc/fairlead/CHANGELOG.md",
      "usr/share/doc/fairlead/LICENSE",
      "usr/share/doc/fairlead/LICENSE.BSD-2-Clause",
      "usr/share/doc/fairlead/LICENSE.GPL-2.0",
      "usr/share/doc/fairlead/README.md",
      "usr/share/doc/fairlead/examples/web.yaml",
      "usr/share/fish/vendor_completions.d/lbctl.fish",
      "usr/share/zsh/site-functions/_lbctl",
  };
  if (FAIRLEAD_HAS_MANUALS) {
    expected.insert(expected.end(), {"usr/share/man/man1/lbctl.1", "usr/share/man/man8/lbd.8"});
    EXPECT_THAT(content_of(directory_ / "usr/share/man/man8/lbd.8"), HasSubstr(".SH \"EXIT STATUS\""));
  }
  EXPECT_THAT(files_below(directory_), testing::UnorderedElementsAreArray(expected));
  EXPECT_THAT(content_of(directory_ / "usr/lib/systemd/system/lbd.service"),
              HasSubstr("ExecStart=/usr/sbin/lbd --config=/etc/fairlead/config.yaml\n"));
  EXPECT_THAT(content_of(directory_ / "etc/fairlead/config.yaml"), HasSubstr("manifests: /etc/fairlead/manifests\n"));
}

TEST_F(Install, LeavesAConfigurationThatIsThere) {
  ASSERT_NO_FATAL_FAILURE(install(directory_));
  const fs::path config = directory_ / "etc/fairlead/config.yaml";
  std::ofstream(config) << "mine";
  std::ofstream(directory_ / "etc/fairlead/manifests/web.yaml") << "mine too";
  ASSERT_NO_FATAL_FAILURE(install(directory_));
  EXPECT_EQ(content_of(config), "mine");
  EXPECT_EQ(content_of(directory_ / "etc/fairlead/manifests/web.yaml"), "mine too");
}

TEST_F(Install, ConfigurationIsTakenWithoutAWarning) {
  ASSERT_NO_FATAL_FAILURE(install(directory_));
  const std::string config = directory_ / "etc/fairlead/config.yaml";
  auto lbd = Process::start({directory_ / "sbin/lbd", "--config", config, "--write-config-to", directory_ / "all"});
  ASSERT_TRUE(lbd) << lbd.error().message;
  EXPECT_EQ(lbd->wait(kPatience), 0);
  EXPECT_EQ(lbd->err(), "");
  EXPECT_THAT(content_of(directory_ / "all"),
              HasSubstr("manifests: " + (directory_ / "etc/fairlead/manifests").string()));
}

TEST_F(Install, UnitIsInOrderAndConfines) {
  ASSERT_NO_FATAL_FAILURE(install(directory_));
  EXPECT_EQ(analyze({"verify", "--man=no", unit()}), "");
  // Of ten, and less is better: what is above is for the network, BPF and root that lbd needs.
  const std::string said = analyze({"security", "--offline=true", "--threshold=22", "--no-pager", unit()});
  std::smatch level;
  ASSERT_TRUE(std::regex_search(said, level, std::regex("Overall exposure level for lbd.service: ([0-9.]+)"))) << said;
  RecordProperty("exposure", level[1].str());
  EXPECT_THAT(setting("RestartPreventExitStatus"), testing::ElementsAre("2"))
      << "what is wrong usage now will be so in a second";
  EXPECT_THAT(setting("ExecStop"), testing::IsEmpty());
  EXPECT_THAT(setting("ExecStopPost"), testing::IsEmpty());
}

TEST_F(Install, UnitGivesWhatTheDaemonSetGives) {
  ASSERT_NO_FATAL_FAILURE(install(directory_));
  const YAML::Node pod = YAML::LoadFile(FAIRLEAD_K8S "/base/daemonset.yaml")["spec"]["template"]["spec"];
  EXPECT_EQ(capabilities(), pod["containers"][0]["securityContext"]["capabilities"]["add"].as<Capabilities>());
}

TEST_F(Install, LauncherConfines) {
  ASSERT_NO_FATAL_FAILURE(install(directory_));
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 1, .pods = 1}));
  const auto make = [&](const std::string& path) {
    Words command = launcher(capabilities());
    command.insert(command.end(), {"mkdir", path});
    return static_cast<bool>(lab_->run_in(lab_->node(1), command));
  };
  for (const std::string& place : {directory_.string(), lab_->dir(), std::string("/sys/kernel"), std::string("/etc")})
    EXPECT_FALSE(make(place + "/fairlead-test")) << place;
  EXPECT_TRUE(make(lab_->node(1).run + "/fairlead-test"));
  EXPECT_TRUE(make(lab_->node(1).pins));
}

TEST_F(Install, LbdServesAsItsUnitConfinesIt) {
  ASSERT_NO_FATAL_FAILURE(install(directory_));
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
  add_daemon(1, {.launcher = launcher(capabilities())});
  put({}, {backend(1, 1), backend(2, 1)});
  for (const bool again : {false, true}) {
    ASSERT_NO_FATAL_FAILURE(start_daemons());
    EXPECT_EQ(daemon().query<admin::StatusView>({"status"})->adopted, again);
    for (const Family family : kFamilies) {
      const AskReport report = ask(Transport::Tcp, vip_of(10, family), {.count = 40});
      EXPECT_EQ(report.failed, 0U) << testing::PrintToString(report.failures);
      EXPECT_EQ(report.servers.size(), 2U) << testing::PrintToString(report.servers);
    }
    EXPECT_EQ(daemon().stop(), 0);
    EXPECT_THAT(daemon().log(), Not(HasSubstr("warning")));
    EXPECT_EQ(ask(Transport::Tcp, vip_of(10, Family::IPv4), {.count = 40}).failed, 0U) << "while it is stopped";
  }
}

}  // namespace
}  // namespace fairlead::test
