// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "userspace/datapath/config.h"
#include "userspace/datapath/map.h"
#include "userspace/util/address.h"
#include "userspace/util/fd.h"

struct fairlead_bpf;

namespace fairlead::datapath {

// The BPF object: its maps and programs in the kernel, the arrays mapped. Loading checks every program with the
// verifier; when the configuration names a pin directory, maps that an earlier daemon pinned there are taken over with
// their content and their size. Of a directory that another daemon is using nothing is touched, and loading fails.
class Object {
 public:
  static Result<std::unique_ptr<Object>> load(const Config& config);
  ~Object();

  int xdp_program() const;
  int tc_ingress_program() const;
  int tc_egress_program() const;
  int sweep_program() const;

  // True when the maps were pinned before: what they hold is live.
  bool adopted() const { return adopted_; }
  // What adopted maps have otherwise than the configuration asks for, each in words; it lasts as long as they do.
  const std::vector<std::string>& kept() const { return kept_; }
  // What the maps really hold, which for adopted ones need not be what was asked for.
  const Sizes& sizes() const { return sizes_; }
  std::uint32_t flow_sets(Family family) const {
    return static_cast<std::uint32_t>(family == Family::IPv4 ? flows4.size() : flows6.size());
  }
  std::size_t possible_cpus() const { return cpus_; }
  const lb_config& config() const { return config_; }

  HashMap<lb_service_key, lb_service> services;
  HashMap<lb_address_key, std::uint32_t> addresses;
  HashMap<std::uint32_t, lb_service_name> names;
  HashMap<std::uint32_t, lb_device> devices;
  MappedArray<lb_backend> backends;
  MappedArray<lb_ring_chunk> rings;
  MappedArray<lb_member_chunk> members;
  MappedArray<lb_filter> filter;
  MappedArray<lb_clock> clock;
  MappedArray<lb_flow4_set> flows4;
  MappedArray<lb_flow6_set> flows6;
  MappedArray<lb_snat_pool> snat_pools;

  int verdicts_fd() const;
  int backend_stats_fd() const;

 private:
  Object() = default;
  Result<> open(const Config& config);
  Result<> choose_sizes(const Config& config);
  Result<> choose_constants(const Config& config);
  void configure(const Config& config);
  Result<> map_arrays();
  void start_clock(const Config& config);

  Fd lock_;  // on the pin directory
  fairlead_bpf* skeleton_ = nullptr;
  bool adopted_ = false;
  Sizes sizes_;
  std::vector<std::string> kept_;
  lb_constants constants_{};
  lb_config config_{};
  std::size_t cpus_ = 0;
};

// "<pin directory>/v<LB_ABI_VERSION>": maps of another layout are never mistaken for ours.
std::string versioned_directory(const std::string& pin_directory);

}  // namespace fairlead::datapath
