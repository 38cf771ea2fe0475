// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/counters.h"

#include <algorithm>
#include <span>
#include <string>

namespace fairlead::datapath {
namespace {

const char* lower(const char* text) {
  // The names are few and live as long as the process.
  std::string* copy = new std::string(text);
  std::transform(copy->begin(), copy->end(), copy->begin(), [](unsigned char c) { return std::tolower(c); });
  return copy->c_str();
}

lb_backend_stats sum(std::span<const lb_backend_stats> cpus) {
  lb_backend_stats sum{};
  for (const lb_backend_stats& one : cpus)
    add(sum, one);
  return sum;
}

std::vector<lb_backend_stats> service_stats(const Object& object, std::uint32_t end) {
  std::vector<lb_backend_stats> sums(object.sizes().service_ports);
  object.names.for_each([&](std::uint32_t id, const lb_service_name& name) {
    if (id < sums.size()) sums[id] = name.left;
  });
  const std::vector<lb_backend_stats> backends = read_all_backend_stats(object, end);
  for (std::uint32_t slot = 0; slot < backends.size(); ++slot) {
    const lb_backend& backend = object.backends[slot];
    const bool is_used = __atomic_load_n(&backend.generation, __ATOMIC_ACQUIRE);
    const std::uint32_t id = __atomic_load_n(&backend.service_id, __ATOMIC_RELAXED);
    if (is_used && id < sums.size()) add(sums[id], backends[slot]);
  }
  return sums;
}

}  // namespace

void add(lb_backend_stats& sum, const lb_backend_stats& more) {
  for (int direction = 0; direction < 2; ++direction) {
    sum.packets[direction] += more.packets[direction];
    sum.bytes[direction] += more.bytes[direction];
  }
  sum.flows += more.flows;
}

std::vector<lb_backend_stats> read_service_stats(const Object& object, std::uint32_t end) {
  constexpr int kTries = 10;
  std::vector<lb_backend_stats> sums;
  for (int i = 0; i < kTries; ++i) {
    const std::uint32_t before = object.moved_counts;
    sums = service_stats(object, end);
    if (before % 2 == 0 && object.moved_counts == before) break;
  }
  return sums;
}

Verdicts read_verdicts(const Object& object) {
  Verdicts verdicts{};
  for (const HookInfo& hook : hook_infos())
    for (const VerdictInfo& info : verdict_infos())
      for (const std::uint64_t packets : read_per_cpu<std::uint64_t>(
               object.verdicts_fd(), lb_verdict_index(hook.hook, info.verdict), object.possible_cpus()))
        verdicts[hook.hook][info.verdict] += packets;
  return verdicts;
}

lb_backend_stats read_backend_stats(const Object& object, std::uint32_t slot) {
  return sum(read_per_cpu<lb_backend_stats>(object.backend_stats_fd(), slot, object.possible_cpus()));
}

std::vector<lb_backend_stats> read_all_backend_stats(const Object& object, std::uint32_t end) {
  constexpr std::uint32_t kBatch = 4096;
  const std::size_t cpus = object.possible_cpus();
  std::vector<lb_backend_stats> sums;
  sums.reserve(end);
  std::vector<lb_backend_stats> values(kBatch * cpus);
  std::vector<std::uint32_t> keys(kBatch);
  std::uint32_t at = 0;
  for (bool more = true; more && sums.size() < end;) {
    std::uint32_t count = std::min(kBatch, end - static_cast<std::uint32_t>(sums.size()));
    more = bpf_map_lookup_batch(object.backend_stats_fd(), sums.empty() ? nullptr : &at, &at, keys.data(),
                                values.data(), &count, nullptr) == 0;
    // The end is an ENOENT that comes with the last of them.
    if (!more && errno != ENOENT) break;
    for (std::uint32_t i = 0; i < count; ++i)
      sums.push_back(sum({values.data() + i * cpus, cpus}));
  }
  return sums;
}

void reset_backend_stats(const Object& object, std::uint32_t slot) {
  const std::vector<lb_backend_stats> zero(object.possible_cpus());
  bpf_map_update_elem(object.backend_stats_fd(), &slot, zero.data(), BPF_ANY);
}

const std::vector<VerdictInfo>& verdict_infos() {
  static const std::vector<VerdictInfo> infos{
#define LB_VERDICT_INFO(name, kind, number, meaning) {LB_VERDICT_##name, lower(#name), lower(#kind), meaning},
      LB_VERDICTS(LB_VERDICT_INFO)
#undef LB_VERDICT_INFO
  };
  return infos;
}

const std::vector<HookInfo>& hook_infos() {
  static const std::vector<HookInfo> infos{
#define LB_HOOK_INFO(name, number) {LB_HOOK_##name, lower(#name)},
      LB_HOOKS(LB_HOOK_INFO)
#undef LB_HOOK_INFO
  };
  return infos;
}

}  // namespace fairlead::datapath
