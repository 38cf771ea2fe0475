// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/confined.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace fairlead::test {
namespace {

// Mounts under a directory that becomes read-only keep their own mind, so each of them is asked.
constexpr const char* kReadOnly = R"(
  while [[ $1 != -- ]]; do
    mount --rbind "$1" "$1"
    writable+=("$1")
    shift
  done
  mount --bind /proc/sys /proc/sys
  while read -r _ target _; do
    for path in /dev "${writable[@]}"; do [[ $target/ != "$path"/* ]] || continue 2; done
    [[ $target != /proc ]] || continue
    # Those that name a namespace cannot be written anyway.
    mount -o remount,bind,ro "$target" 2>/dev/null || true
  done < <(cat /proc/self/mounts)
  exec "${@:2}"
)";

}  // namespace

std::vector<std::string> confined_to(const Capabilities& capabilities) {
  std::string bounding = "-all";
  for (const std::string& capability : capabilities) {
    bounding += ",+";
    std::transform(capability.begin(), capability.end(), std::back_inserter(bounding),
                   [](unsigned char c) { return std::tolower(c); });
  }
  return {"setpriv", "--no-new-privs", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=" + bounding};
}

std::vector<std::string> only_writing_to(const std::vector<std::string>& writable) {
  std::vector<std::string> launcher{"unshare", "--mount", "--propagation", "private", "bash", "-euc", kReadOnly, "-"};
  launcher.insert(launcher.end(), writable.begin(), writable.end());
  launcher.push_back("--");
  return launcher;
}

}  // namespace fairlead::test
