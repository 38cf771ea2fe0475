// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "userspace/daemon/options/options.h"

namespace fairlead::daemon {

// lbd's options as a command line gives them, outside of any cluster, with a directory for configuration files.
class Parsing : public testing::Test {
 protected:
  Parsing() : directory_(testing::TempDir() + "/fairlead-options-" + std::to_string(getpid())) {
    std::filesystem::create_directories(directory_);
    for (const char* variable : {"KUBERNETES_SERVICE_HOST", "HTTPS_PROXY", "https_proxy"})
      unsetenv(variable);
  }
  ~Parsing() override {
    unsetenv("KUBERNETES_SERVICE_HOST");
    std::filesystem::remove_all(directory_);
  }

  struct Outcome {
    Parsed parsed;
    std::string out, err;
  };

  static Outcome run(std::vector<std::string> words) {
    words.insert(words.begin(), "lbd");
    std::vector<const char*> argv;
    for (const std::string& word : words)
      argv.push_back(word.c_str());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Outcome outcome{parse_options(static_cast<int>(argv.size()), argv.data()), {}, {}};
    outcome.out = testing::internal::GetCapturedStdout();
    outcome.err = testing::internal::GetCapturedStderr();
    return outcome;
  }

  // Of a command line that is right.
  static Options options(const std::vector<std::string>& words) {
    const Outcome outcome = run(words);
    EXPECT_TRUE(outcome.parsed.options) << outcome.err;
    return outcome.parsed.options.value_or(Options());
  }

  // The lines that one that is wrong ends with, without the hint at --help.
  static std::vector<std::string> errors(const std::vector<std::string>& words) {
    const Outcome outcome = run(words);
    EXPECT_FALSE(outcome.parsed.options);
    EXPECT_EQ(outcome.parsed.exit_status, 2);
    std::vector<std::string> lines;
    std::istringstream text(outcome.err);
    for (std::string line; std::getline(text, line);)
      if (line != "Run with --help for more information.") lines.push_back(line);
    return lines;
  }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  // The path of a file that has this in it.
  std::string file(const std::string& text, const std::string& name = "config.conf") const {
    std::ofstream(path(name)) << text;
    return path(name);
  }

  // A KubeProxyConfiguration's, or a FairleadConfiguration's, with these fields.
  static std::string kube_proxy(const std::string& fields) {
    return "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n" + fields;
  }
  static std::string fairlead(const std::string& fields) {
    return "apiVersion: fairlead.dev/v1alpha1\nkind: FairleadConfiguration\n" + fields;
  }

 private:
  std::string directory_;
};

}  // namespace fairlead::daemon
