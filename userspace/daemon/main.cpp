// SPDX-License-Identifier: Apache-2.0
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iostream>

#include "userspace/daemon/daemon.h"
#include "userspace/util/output.h"
#include "userspace/util/utf8.h"

namespace {

using namespace fairlead;

// The message as text, which is all that a journal shows, and for --log-json as a JSON string.
class Message : public spdlog::custom_flag_formatter {
 public:
  explicit Message(bool as_json) : as_json_(as_json) {}

  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    std::string text = as_utf8({message.payload.data(), message.payload.size()});
    if (as_json_) text = boost::json::serialize(boost::json::string(text));
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return spdlog::details::make_unique<Message>(as_json_);
  }

 private:
  bool as_json_;
};

void start_logging(const daemon::Options& options) {
  auto logger = std::make_shared<spdlog::logger>("lbd", std::make_shared<spdlog::sinks::stderr_sink_st>());
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<Message>('*', options.log_json)
      .set_pattern(options.log_json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%*})"
                                    : "%Y-%m-%dT%H:%M:%S.%e%z %-7l %*");
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog::level::from_str(options.log_level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

// A process may raise its score, but needs a capability to lower it.
void set_oom_score(const daemon::Options& options) {
  if (!options.oom_score_adj) return;
  std::ofstream file("/proc/self/oom_score_adj");
  file << *options.oom_score_adj << std::flush;
  if (!file)
    spdlog::warn("--oom-score-adj: {}: write /proc/self/oom_score_adj: {}", *options.oom_score_adj,
                 std::strerror(errno));
}

// As many descriptors as it may have, within reason: each probe, scrape and lbctl takes one.
void raise_descriptor_limit() {
  constexpr rlim_t kEnough = 65536;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kEnough) return;
  limit.rlim_cur = std::min(limit.rlim_max, kEnough);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    spdlog::warn("setrlimit RLIMIT_NOFILE {}: {}", limit.rlim_cur, std::strerror(errno));
}

void log_remarks(const daemon::Options& options) {
  for (const std::string& note : options.notes)
    spdlog::info("{}", note);
  for (const std::string& warning : options.warnings)
    spdlog::warn("{}", warning);
}

// The status to end with: a failure too where what was printed has not arrived.
int with_output(int status) {
  const auto printed = flush_output();
  if (printed) return status;
  std::cerr << "lbd: " << printed.error().message << "\n";
  return status == 0 ? 1 : status;
}

int run_cleanup(const daemon::Options& options) {
  const auto result = daemon::clean_up(options);
  for (const std::string& remark : result.remarks)
    std::cout << remark << "\n";
  for (const std::string& removed : result.removed)
    std::cout << "removed " << removed << "\n";
  for (const Error& left : result.left)
    spdlog::error("{}", left.message);
  return result.left.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = daemon::parse_options(argc, argv);
  if (!parsed.options) return with_output(parsed.exit_status);
  std::signal(SIGPIPE, SIG_IGN);
  start_logging(*parsed.options);
  if (parsed.options->cleanup) return with_output(run_cleanup(*parsed.options));
  log_remarks(*parsed.options);
  set_oom_score(*parsed.options);
  raise_descriptor_limit();
  const auto result = daemon::run(*parsed.options);
  if (result) return 0;
  spdlog::critical("{}", result.error().message);
  return 1;
}
