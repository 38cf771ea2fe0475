// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "userspace/datapath/adopt.h"
#include "userspace/datapath/config.h"
#include "userspace/datapath/map.h"
#include "userspace/datapath/pins.h"
#include "userspace/datapath/ticks.h"
#include "userspace/util/address.h"
#include "userspace/util/fd.h"

struct bpf_map;
struct fairlead_bpf;

namespace fairlead::datapath {

class Upgrade;

// The BPF object: its maps and programs in the kernel, the arrays mapped. Loading checks every program with the
// verifier; when the configuration names a pin directory, maps that an earlier daemon pinned there are taken over with
// their content and their size, converted where they have another layout. Of a directory that another daemon is using
// nothing is touched, and loading fails.
class Object {
 public:
  static Result<std::unique_ptr<Object>> load(const Config& config);
  ~Object();

  // To be called right before the programs are put in the place of another object's: brings the flows that those have
  // made since load(). From now until finish_upgrade(), and not for long should this process die, TCP segments of flows
  // that are not here yet are dropped, and come again.
  void begin_handover();
  // The device that packets were last dropped for because their way led by it and lbd is not on it, since the last
  // call; 0: none.
  int take_unmanaged_device();

  // To be called when no program of another object is attached any more: takes over what has become of converted maps
  // while those were, and removes them. Until then they stay pinned beside the new ones, and can be loaded from again;
  // from then on they count for nothing, removed or not. Returns what cannot be removed, each by name: call it again.
  std::vector<Error> finish_upgrade();

  // Pins again what is not pinned any more, because somebody has removed it: the next daemon would begin with empty
  // maps. Goes on after a map that cannot be pinned.
  struct Repinned {
    std::vector<std::string> maps;
    std::vector<Error> failed;
  };
  Repinned restore_pins();

  // What each of this build's maps is made of.
  static Result<Layouts> layouts();

  int xdp_program() const;
  int tc_ingress_program() const;
  int tc_egress_program() const;

  // True when the maps were pinned before: what they hold is live.
  bool adopted() const { return adopted_; }
  // What adopted maps have otherwise than the configuration asks for, each in words; it lasts as long as they do.
  const std::vector<std::string>& kept() const { return kept_; }
  // What could not be kept of what an earlier lbd had, each in words, with its count where there is one; more may come
  // with finish_upgrade().
  const std::vector<std::string>& lost() const { return lost_; }
  // What the maps really hold, which for adopted ones need not be what was asked for.
  const Sizes& sizes() const { return sizes_; }
  std::uint32_t flow_sets(Family family) const {
    return static_cast<std::uint32_t>(family == Family::IPv4 ? flows4.size() : flows6.size());
  }
  std::size_t possible_cpus() const { return cpus_; }
  const lb_config& config() const { return config_; }
  // The programs' time, in ticks.
  Result<std::uint32_t> now() const;
  // Runs the sweeper; what it says comes back in the request.
  Result<> sweep(lb_sweep& request) const;

  HashMap<lb_service_key, lb_service> services;
  HashMap<lb_address_key, std::uint32_t> addresses;
  HashMap<std::uint32_t, lb_service_name> names;
  HashMap<std::uint32_t, lb_device> devices;
  MappedArray<lb_backend> backends;
  MappedArray<lb_source> sources;
  MappedArray<lb_ring_chunk> rings;
  MappedArray<lb_member_chunk> members;
  MappedArray<lb_filter> filter;
  MappedArray<lb_frames> frames;
  MappedArray<lb_clock> clock;
  MappedArray<lb_flow4_set> flows4;
  MappedArray<lb_flow6_set> flows6;
  MappedArray<lb_snat_pool> snat_pools;

  // Odd while what a backend has counted moves from its slot to its service port, and another number afterwards.
  std::atomic<std::uint32_t> moved_counts = 0;

  int verdicts_fd() const;
  int backend_stats_fd() const;

 private:
  Object();
  Result<> open(const Config& config);
  Result<> open_pins(const std::string& directory);
  Result<> note_missing(const Pins& pins);
  Result<> choose_sizes(const Config& config);
  Result<> check_pinned_sizes() const;
  Result<> choose_constants(const Config& config);
  void configure(const Config& config);
  Result<> adopt_maps();
  Result<> map_arrays();
  Result<> convert_maps();
  void set_handover_until(std::uint64_t nanoseconds);
  Result<> pin_maps();
  Result<> ensure_lock(const Pins& pins);
  void start_clock(const Config& config);
  Result<ExpiryOf> foreign_expiry() const;
  bpf_map* find(const char* name) const;

  std::optional<Pins> pins_;  // none: everything ends with the process
  Fd lock_;                   // on the pin directory
  fairlead_bpf* skeleton_ = nullptr;
  Layouts layouts_;
  std::map<std::string, Fd> pinned_;  // maps that are in this build's layout already
  std::unique_ptr<Upgrade> upgrade_;
  bool adopted_ = false;
  Sizes sizes_;
  std::vector<std::string> kept_;
  std::vector<std::string> lost_;
  lb_constants constants_{};
  lb_config config_{};
  std::size_t cpus_ = 0;
};

}  // namespace fairlead::datapath
