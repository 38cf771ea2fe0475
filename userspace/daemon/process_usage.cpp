// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/process_usage.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "userspace/daemon/exposition.h"

namespace fairlead::daemon {
namespace {

using Type = Exposition::Type;

struct Stat {
  double cpu_ticks = 0, start_ticks = 0, virtual_bytes = 0, resident_pages = 0;
};

// Fields 14, 15, 22, 23 and 24; the name in field 2 may hold anything, but ends with the last ")".
std::optional<Stat> read_stat() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream fields(text.substr(std::min(text.rfind(')'), text.size() - 1) + 1));
  std::string skipped;
  const auto skip = [&](int count) {
    while (count-- > 0)
      fields >> skipped;
  };
  Stat stat;
  double user = 0, system = 0;
  skip(11);
  fields >> user >> system;
  skip(6);
  fields >> stat.start_ticks >> stat.virtual_bytes >> stat.resident_pages;
  stat.cpu_ticks = user + system;
  return fields ? std::optional(stat) : std::nullopt;
}

// In seconds since the epoch.
std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  return std::nullopt;
}

void append_stat(std::string& text) {
  const auto stat = read_stat();
  if (!stat) return;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  Exposition(text, "process_cpu_seconds_total",
             "Processor time that lbd has taken, in user and kernel mode, in seconds.", Type::kCounter)
      .add({}, stat->cpu_ticks / ticks);
  Exposition(text, "process_resident_memory_bytes",
             "Memory of lbd that is resident, mapped BPF maps included, in bytes.", Type::kGauge)
      .add({}, stat->resident_pages * page);
  Exposition(text, "process_virtual_memory_bytes", "Address space that lbd has taken, in bytes.", Type::kGauge)
      .add({}, stat->virtual_bytes);
  if (const auto boot = boot_time())
    Exposition(text, "process_start_time_seconds", "When lbd was started, in seconds since the epoch.", Type::kGauge)
        .add({}, *boot + stat->start_ticks / ticks);
}

void append_descriptors(std::string& text) {
  std::error_code error;
  double open = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end; at.increment(error))
    ++open;
  // But for the one that reads the directory.
  if (!error && open > 0)
    Exposition(text, "process_open_fds", "File descriptors that lbd has open.", Type::kGauge).add({}, open - 1);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    Exposition(text, "process_max_fds", "File descriptors that lbd may have open.", Type::kGauge)
        .add({}, static_cast<double>(limit.rlim_cur));
}

}  // namespace

void append_process_usage(std::string& text) {
  append_stat(text);
  append_descriptors(text);
}

}  // namespace fairlead::daemon
