// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include <boost/json.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/lab.h"
#include "tests/support/process.h"
#include "userspace/util/result.h"

namespace fairlead::test {

using Flags = std::map<std::string, std::string>;

struct DaemonOptions {
  std::string xdp_mode = "native";
  std::string kubeconfig = {};  // if given, Services come from there, and not from manifests
  Flags more = {};
  std::vector<std::string> launcher = {};  // a program with its arguments that becomes lbd, such as setpriv
  std::string program = {};                // another lbd than this build's
};

// lbd on a node of a lab, with manifests, socket and pins of its own below what the lab removes. It can be stopped and
// started as often as one likes. Lab and node must outlive it. Not for use by several threads at once.
class Daemon {
 public:
  Daemon(const Lab& lab, const Node& node, DaemonOptions options = {});

  enum Ready { kAnswers, kInSync };
  // From the next start on: another lbd, or this build's where it is empty.
  void use_program(const std::string& program) { options_.program = program; }

  // Returns when it answers lbctl, or is also in sync with its manifests.
  Result<> start(Ready ready = kInSync);
  // By SIGTERM, unless told otherwise; returns the exit status.
  int stop(int signal = SIGTERM);
  bool is_running();
  void signal(int number) const { process_->signal(number); }

  // Another lbd, started like this one except for these flags. Not waited for.
  Result<Process> start_another(Flags flags = {}, const std::vector<std::string>& switches = {}) const;

  // A file appears, changes or goes as a whole. lbd hears of it a moment later.
  Result<> put(const std::string& file, const std::string& text) const;
  Result<> remove(const std::string& file) const;
  // Bytes that a writer without a plan would leave there, in place.
  Result<> scribble(const std::string& file, const std::string& text) const;

  // lbctl run to its end.
  Process lbctl(std::vector<std::string> arguments) const;
  // What `lbctl -o json` prints, as one of the shapes of userspace/admin/view.h.
  template <class T>
  Result<T> query(std::vector<std::string> arguments) const {
    auto value = query_json(std::move(arguments));
    if (!value) return value.error();
    auto converted = boost::json::try_value_to<T>(*value);
    if (!converted) return Error{"not what was asked for: " + boost::json::serialize(*value), EPROTO};
    return std::move(*converted);
  }
  Result<boost::json::value> query_json(std::vector<std::string> arguments) const;

  const Node& node() const { return *node_; }
  // Of the process that runs now or ran last.
  std::string log() const { return process_ ? process_->err() : ""; }

 private:
  bool is_ready(Ready ready) const;

  const Lab* lab_;
  const Node* node_;
  DaemonOptions options_;
  std::filesystem::path manifests_;
  std::string socket_;
  std::optional<Process> process_;
};

}  // namespace fairlead::test
