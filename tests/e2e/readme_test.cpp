// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <regex>

#include "tests/support/content.h"
#include "tests/support/control_plane.h"
#include "tests/support/eventually.h"
#include "tests/support/guardian.h"
#include "tests/support/transcript.h"

// Does what the README says about trying it in a cluster, line by line, and sees what the README shows.
namespace fairlead::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr seconds kSoon{30};
constexpr seconds kPatience{300};  // of one command

std::string replaced(const std::string& text, const char* pattern, const std::string& by) {
  return std::regex_replace(text, std::regex(pattern), by);
}

class Readme : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto missing = missing_for_kubernetes()) GTEST_SKIP() << *missing;
    if (!run({"sh", "-c", "command -v curl"}, seconds(10))) GTEST_SKIP() << "the README's client is curl";
    auto guardian = Guardian::start({lab_script_path(), "down", "--prefix", prefix_});
    ASSERT_TRUE(guardian) << guardian.error().message;
    guardian_ = std::move(*guardian);
    for (Step& step : steps_of(content_of(FAIRLEAD_CHECKOUT "/README.md"), "## In a Kubernetes cluster"))
      add(std::move(step));
  }

  // Everything but where the lab and the programs are is done as it stands. What comes after it wants a real cluster.
  void add(Step step) {
    if (step.command.starts_with("scripts/install-deps")) return;
    if (!steps_.empty() && steps_.back().command.starts_with(lab("down"))) return;
    step.command = replaced(step.command, R"(^scripts/lab (\w+))", lab("$1"));
    step.command = replaced(step.command, "--build\\b", "--build-dir " FAIRLEAD_BUILD_DIR);
    step.command = replaced(step.command, "/run/fl/", "/run/" + prefix_ + "/");
    step.command = replaced(step.command, "\\bbuild/dev/", FAIRLEAD_BUILD_DIR "/");
    steps_.push_back(std::move(step));
  }

  std::string lab(const std::string& command) const { return "scripts/lab " + command + " --prefix " + prefix_; }

  // As in a terminal: in the checkout, with what was exported before.
  std::vector<std::string> in_shell(const std::string& command) const {
    return {"bash", "-c", "exec 2>&1; cd " FAIRLEAD_CHECKOUT "; " + exports_ + command};
  }

  Process begin(const std::string& command) const {
    auto process = Process::start(in_shell(command));
    EXPECT_TRUE(process) << process.error().message;
    return std::move(*process);
  }

  struct Outcome {
    std::optional<int> status;
    std::string output;
  };
  Outcome finish(const std::string& command) const {
    Process process = begin(command);
    const auto status = process.wait(kPatience);
    return {status, process.out()};
  }

  void follow(const Step& step) {
    SCOPED_TRACE(step.command);
    if (step.command.ends_with(" &")) {
      background_.emplace(begin("exec " + step.command.substr(0, step.command.size() - 2)));
    } else if (step.command == "wait") {
      ASSERT_TRUE(background_->wait(kPatience));
      EXPECT_TRUE(shows(background_->out(), step.expected)) << background_->out();
    } else if (step.command.starts_with("export ")) {
      exports_ += step.command + "; ";
    } else if (only_looks(step.command)) {
      see(step);
    } else {
      perform(step);
    }
  }

  static bool only_looks(const std::string& command) {
    return command.starts_with("scripts/lab exec") || command.starts_with("scripts/lab lbctl") ||
           command.starts_with("kubectl get");
  }

  // What was done before may take a moment to show.
  void see(const Step& step) {
    Outcome outcome;
    EXPECT_TRUE(eventually(kSoon, [&] { return shows((outcome = finish(step.command)).output, step.expected); }))
        << outcome.output;
  }

  void perform(const Step& step) {
    const Outcome outcome = finish(step.command);
    ASSERT_EQ(outcome.status, 0) << outcome.output;
    EXPECT_TRUE(shows(outcome.output, step.expected)) << outcome.output;
    if (step.command.starts_with(lab("up"))) take_exports(outcome.output);
    if (step.command.starts_with("kubectl rollout status")) agree();
  }

  // kubectl may not be on PATH before.
  void take_exports(const std::string& output) {
    const std::regex line("  (export .*)");
    for (std::sregex_iterator at(output.begin(), output.end(), line), end; at != end; ++at)
      exports_ += (*at)[1].str() + "; ";
    EXPECT_THAT(exports_, testing::HasSubstr("export KUBECONFIG=/run/" + prefix_ + "/kubernetes/admin.kubeconfig"));
  }

  // As many backends on every node as there are ready endpoints.
  void agree() const {
    std::map<std::string, std::string> said;
    const auto equal = [&] {
      said["kubectl"] = finish(
                            "kubectl get endpointslices -l kubernetes.io/service-name=web -o json | "
                            "jq '[.items[].endpoints[]? | select(.conditions.ready)] | length'")
                            .output;
      for (const std::string node : {"node1", "node2", "node3"})
        said[node] = finish(lab("lbctl") + " " + node + " -o json service list | " +
                            "jq '[.[] | select(.name == \"web\") | .ports[].frontends[].backends] | unique[]'")
                         .output;
      return said["kubectl"] != "0\n" &&
             std::all_of(said.begin(), said.end(), [&](const auto& one) { return one.second == said["kubectl"]; });
    };
    EXPECT_TRUE(eventually(kSoon, equal)) << testing::PrintToString(said);
  }

  // Requests to every node's NodePort, until told to stop; also by the end of the lab.
  void start_asking() {
    std::ofstream{asking_file()};
    asking_.emplace(begin("while [ -e " + asking_file() + " ]; do for node in 1 2 3; do " + lab("exec") +
                          " client " FAIRLEAD_PEER " ask --tcp 10.201.0.$node:30080 --count 20 --json; done; done"));
  }

  void stop_asking() {
    if (!asking_) return;
    fs::remove(asking_file());
    ASSERT_TRUE(asking_->wait(kSoon));
    std::int64_t answered = 0;
    std::istringstream lines(asking_->out());
    for (std::string line; std::getline(lines, line);) {
      boost::system::error_code error;
      const auto report = boost::json::parse(line, error);
      ASSERT_FALSE(error) << line;
      EXPECT_EQ(report.at("failed"), 0) << line;
      answered += report.at("answered").as_int64();
    }
    EXPECT_GT(answered, 200);
    RecordProperty("answered", std::to_string(answered));
    asking_.reset();
  }

  std::string asking_file() const { return "/run/" + prefix_ + "/asking"; }

  // Namespaces, pins, cgroups and processes.
  std::string remains() const {
    return finish("ls -d /run/netns/" + prefix_ + "* /run/" + prefix_ + " /sys/fs/bpf/" + prefix_ +
                  "* /sys/fs/cgroup/" + prefix_ + "* /sys/fs/cgroup/unified/" + prefix_ +
                  "* 2>/dev/null; grep -lsz '/run/" + prefix_ + "[/]' /proc/[0-9]*/cmdline")
        .output;
  }

  const std::string prefix_ = "readme" + std::to_string(getpid());
  std::vector<Step> steps_;

 private:
  Guardian guardian_;
  std::string exports_;
  std::optional<Process> background_;
  std::optional<Process> asking_;
};

TEST_F(Readme, InAKubernetesCluster) {
  ASSERT_GT(steps_.size(), 20U);
  ASSERT_THAT(steps_.back().command, testing::StartsWith(lab("down")));
  for (const Step& step : steps_) {
    if (step.command.starts_with("kubectl scale")) start_asking();
    if (step.command.starts_with("kubectl expose")) stop_asking();
    ASSERT_NO_FATAL_FAILURE(follow(step));
  }
  EXPECT_EQ(remains(), "");
}

}  // namespace
}  // namespace fairlead::test
