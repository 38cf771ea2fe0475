// SPDX-License-Identifier: Apache-2.0
//
// Loads the programs as lbd does, says what the verifier made of each, and holds it to a budget that leaves room for
// what is to come: the verifier's own limits are 1,000,000 instructions and 512 bytes of stack.
#include <bpf/libbpf.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "userspace/datapath/object.h"

namespace fairlead::datapath {
namespace {

constexpr int kSkipped = 77;
constexpr std::uint32_t kMostInstructions = 200'000;
constexpr std::uint32_t kMostStack = 384;

// Of a program: where its functions begin, in the verifier's order, and whom each calls.
using Calls = std::map<std::size_t, std::set<std::size_t>>;

Calls calls_of(const bpf_program* program) {
  const bpf_insn* insns = bpf_program__insns(program);
  const std::size_t count = bpf_program__insn_cnt(program);
  const auto called = [&](std::size_t at) -> std::size_t {
    const bool is_call = insns[at].code == (BPF_JMP | BPF_CALL) && insns[at].src_reg == BPF_PSEUDO_CALL;
    return is_call ? at + 1 + static_cast<std::size_t>(insns[at].imm) : 0;
  };
  Calls calls{{0, {}}};
  for (std::size_t at = 0; at < count; ++at)
    if (const std::size_t target = called(at)) calls[target];
  for (std::size_t at = 0; at < count; ++at)
    if (const std::size_t target = called(at)) std::prev(calls.upper_bound(at))->second.insert(target);
  return calls;
}

// What follows a word of the log: "stack depth 72+16+128", one number for each function.
std::vector<std::uint32_t> numbers_after(const std::string& log, const std::string& word) {
  std::vector<std::uint32_t> numbers;
  std::size_t at = log.rfind(word);
  if (at == std::string::npos) return numbers;
  const char *from = log.data() + at + word.size(), *end = log.data() + log.size();
  for (std::uint32_t number = 0; from < end;) {
    const auto [next, error] = std::from_chars(from, end, number);
    if (error != std::errc{}) break;
    numbers.push_back(number);
    if (next == end || *next != '+') break;
    from = next + 1;
  }
  return numbers;
}

// The deepest chain of calls from a function on. Frames are rounded as kernels before 6.9 do, which later ones do less.
std::uint32_t stack_from(std::size_t function, const Calls& calls, const std::vector<std::uint32_t>& depths) {
  const auto at = calls.find(function);
  const std::uint32_t own = depths.at(static_cast<std::size_t>(std::distance(calls.begin(), at)));
  std::uint32_t below = 0;
  for (const std::size_t called : at->second)
    below = std::max(below, stack_from(called, calls, depths));
  return (std::max(own, 1u) + 31) / 32 * 32 + below;
}

struct Measured {
  std::string program;
  std::uint32_t instructions = 0, stack = 0;
};

// Fills in what the verifier is to say, around the loading of lbd's own code.
class Verifier {
 public:
  int load(bpf_object_skeleton* skeleton, int (*really)(bpf_object_skeleton*)) {
    constexpr std::size_t kLogSize = 65536;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, *skeleton->obj) {
      std::string& log = logs_[bpf_program__name(program)];
      log.assign(quiet_ ? 0 : kLogSize, '\0');
      if (quiet_) continue;
      bpf_program__set_log_level(program, kStatistics);
      bpf_program__set_log_buf(program, log.data(), log.size());
    }
    const int error = really(skeleton);
    if (error || quiet_) return error;
    bpf_object__for_each_program(program, *skeleton->obj) measured_.push_back(measure(program));
    return 0;
  }

  // From now on it says what lbd would hear: where loading fails, why.
  void be_quiet() { quiet_ = true; }

  const std::vector<Measured>& measured() const { return measured_; }

 private:
  static constexpr __u32 kStatistics = 4;  // BPF_LOG_STATS

  Measured measure(const bpf_program* program) {
    const std::string& log = logs_.at(bpf_program__name(program));
    const auto processed = numbers_after(log, "processed "), depths = numbers_after(log, "stack depth ");
    const Calls calls = calls_of(program);
    if (processed.empty() || depths.size() != calls.size()) return {bpf_program__name(program)};
    return {bpf_program__name(program), processed.front(), stack_from(0, calls, depths)};
  }

  bool quiet_ = false;
  std::map<std::string, std::string> logs_;
  std::vector<Measured> measured_;
};

Verifier verifier;

bool report(const Measured& measured, const char* kernel) {
  std::printf("| %-14s | %-8s | %-24s | %12u | %5u |\n", measured.program.c_str(), FAIRLEAD_BPF_TAG, kernel,
              measured.instructions, measured.stack);
  if (!measured.instructions || !measured.stack) {
    std::printf("%s: the verifier's statistics were not understood\n", measured.program.c_str());
    return false;
  }
  if (measured.instructions <= kMostInstructions && measured.stack <= kMostStack) return true;
  std::printf("%s is over its budget of %u instructions and %u bytes of stack\n", measured.program.c_str(),
              kMostInstructions, kMostStack);
  return false;
}

int load_all() {
  if (geteuid() != 0) {
    std::puts("SKIPPED: needs root: loads BPF programs");
    return kSkipped;
  }
  utsname system{};
  uname(&system);
  if (!Object::load({})) {
    verifier.be_quiet();
    const auto object = Object::load({});
    std::puts(object ? "loading failed once" : object.error().message.c_str());
    return 1;
  }
  std::puts("| program        | compiler | kernel                   | instructions | stack |");
  std::puts("|----------------|----------|--------------------------|-------------:|------:|");
  bool good = true;
  for (const Measured& measured : verifier.measured())
    good = report(measured, system.release) && good;
  return good && !verifier.measured().empty() ? 0 : 1;
}

}  // namespace
}  // namespace fairlead::datapath

// The linker puts these in the way of libbpf's function of that name (--wrap).
extern "C" int __real_bpf_object__load_skeleton(bpf_object_skeleton* skeleton);
extern "C" int __wrap_bpf_object__load_skeleton(bpf_object_skeleton* skeleton) {
  return fairlead::datapath::verifier.load(skeleton, __real_bpf_object__load_skeleton);
}

int main() {
  return fairlead::datapath::load_all();
}
