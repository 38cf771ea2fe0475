// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <optional>
#include <regex>

#include "tests/lab/scenario.h"
#include "tests/support/content.h"
#include "tests/support/transcript.h"

// Does what the README says about a machine of one's own, line by line, and sees what the README shows. The machine is
// a lab's node1; the client asks from the lab's.
namespace fairlead::test {
namespace {

// Of one command, and for what it shows: lbd may start on a busy machine.
constexpr std::chrono::seconds kPatience{60};

// What is installed and written there is gone with the mounts, and so is what is pinned.
constexpr const char* kMounts = R"(
  mount -t tmpfs tmpfs "$1"
  for top in usr etc; do
    mkdir -p "$1/$top/upper" "$1/$top/work"
    mount -t overlay -o "lowerdir=/$top,upperdir=$1/$top/upper,workdir=$1/$top/work" overlay "/$top"
  done
  mount -t tmpfs tmpfs /run
  mount -t bpf bpf /sys/fs/bpf
  cat >/usr/bin/systemctl <<<"$2"
  chmod +x /usr/bin/systemctl
  echo mounted
  exec sleep infinity
)";

// In place of systemd's: starts what the installed unit says, with the capabilities that it leaves.
constexpr const char* kSystemctl = R"sh(#!/bin/bash
set -euo pipefail
unit=/usr/lib/systemd/system/${*: -1}.service
setting() { sed -n "s/^$1=//p" "$unit"; }
start() {
  local capabilities
  capabilities=$(setting CapabilityBoundingSet)
  capabilities=${capabilities//CAP_/+}
  setpriv --no-new-privs --bounding-set "-all,${capabilities// /,}" $(setting ExecStart) >/run/lbd.log 2>&1 &
  echo $! >/run/lbd.pid
}
stop() {
  kill "$(</run/lbd.pid)"
  tail --pid="$(</run/lbd.pid)" -f /dev/null
}
case $* in
  'enable --now lbd' | 'start lbd') start ;;
  'disable --now lbd' | 'stop lbd') stop ;;
  *) exit 1 ;;
esac
)sh";

class Readme : public Scenario {
 protected:
  void SetUp() override {
    Scenario::SetUp();
    if (IsSkipped()) return;
    if (!run({"sh", "-c", "command -v curl"}, kPatience)) GTEST_SKIP() << "the README's client is curl";
    ASSERT_NO_FATAL_FAILURE(build({}));
    make_machine();
  }

  void TearDown() override {
    if (HasFailure() && machine_) std::cerr << on_machine("cat /run/lbd.log").output;
    Scenario::TearDown();
  }

  void make_machine() {
    auto holder = Process::start({"unshare", "--mount", "--propagation", "private", "bash", "-euc", kMounts, "-",
                                  lab_->node(1).run, kSystemctl});
    ASSERT_TRUE(holder) << holder.error().message;
    machine_.emplace(std::move(*holder));
    const auto mounted = machine_->wait_for_line("mounted", kPatience);
    ASSERT_TRUE(mounted) << mounted.error().message;
  }

  struct Outcome {
    std::optional<int> status;
    std::string output;
  };
  Outcome on_machine(const std::string& command) const {
    return finish(lab_->start(lab_->node(1), {"nsenter", "--mount=/proc/" + std::to_string(machine_->pid()) + "/ns/mnt",
                                              "bash", "-c", "exec 2>&1; cd " FAIRLEAD_CHECKOUT "; " + command}));
  }
  Outcome on_client(const std::string& command) const {
    return finish(lab_->start(lab_->client(), {"bash", "-c", "exec 2>&1; " + command}));
  }
  static Outcome finish(Result<Process> process) {
    EXPECT_TRUE(process) << process.error().message;
    if (!process) return {};
    const auto status = process->wait(kPatience);
    return {status, process->out()};
  }

  // What was done before may take a moment to show.
  void follow(const Step& step) const {
    SCOPED_TRACE(step.command);
    const bool asks = step.command.starts_with("curl "), looks = asks || step.command.starts_with("lbctl ");
    Outcome outcome;
    const auto succeeds = [&] {
      outcome = asks ? on_client(step.command) : on_machine(step.command);
      return outcome.status == 0 && shows(outcome.output, step.expected);
    };
    ASSERT_TRUE(eventually(looks ? kPatience : std::chrono::seconds(0), succeeds)) << outcome.output;
  }

  // Everything but where the programs come from is done as it stands.
  static std::vector<Step> steps() {
    std::vector<Step> all = steps_of(content_of(FAIRLEAD_CHECKOUT "/README.md"), "## On a machine of your own");
    std::erase_if(all, [](const Step& step) { return step.command.starts_with("cmake --preset release "); });
    for (Step& step : all)
      step.command =
          std::regex_replace(step.command, std::regex("--install build/release\\b"), "--install " FAIRLEAD_BUILD_DIR);
    return all;
  }

 private:
  std::optional<Process> machine_;
};

TEST_F(Readme, OnAMachineOfYourOwn) {
  const std::vector<Step> all = steps();
  ASSERT_GT(all.size(), 10U);
  ASSERT_EQ(all.back().command, "lbd --cleanup");
  for (const Step& step : all)
    ASSERT_NO_FATAL_FAILURE(follow(step));
  // The kernel's own are called so.
  EXPECT_EQ(on_machine("find /sys/fs/bpf -mindepth 1 ! -name '*.debug'").output, "");
  EXPECT_EQ(on_machine("tc filter show dev eth0 ingress; tc filter show dev eth0 egress").output, "");
}

}  // namespace
}  // namespace fairlead::test
