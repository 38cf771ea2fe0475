// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/load_log.h"

#include <bpf/libbpf.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>

#include "userspace/datapath/capabilities.h"

namespace fairlead::datapath {
namespace {

std::string& last_words() {
  static std::string words;
  return words;
}

int remember(enum libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  va_list again;
  va_copy(again, arguments);
  const int length = vsnprintf(nullptr, 0, format, again);
  va_end(again);
  if (length < 0) return length;
  // The verifier's log is one line to libbpf, megabytes long, and what matters stands at its end.
  std::string line(static_cast<std::size_t>(length), '\0');
  vsnprintf(line.data(), line.size() + 1, format, arguments);
  std::string& words = last_words();
  words += line;
  if (words.size() > 16384) words.erase(0, words.size() - 16384);
  return length;
}

}  // namespace

void listen_to_libbpf() {
  last_words().clear();
  libbpf_set_print(remember);
}

// What the verifier says to who may not do it is many lines about what they wrote, and not why.
Error load_error(int code) {
  const std::string missing = code == EPERM || code == EACCES ? missing_capabilities() : "";
  if (!missing.empty())
    return {"load the BPF object: " + std::string(strerror(code)) + ": lbd does not have " + missing, code};
  std::string hint;
  if (code == EPERM) hint = " (CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON or CAP_SYS_ADMIN are needed)";
  return {
      "load the BPF object: " + std::string(strerror(code)) + hint + (last_words().empty() ? "" : "\n" + last_words()),
      code};
}

}  // namespace fairlead::datapath
