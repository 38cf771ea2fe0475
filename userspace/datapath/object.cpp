// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/object.h"

#include <bpf/libbpf.h>
#include <sys/random.h>

#include <bit>
#include <cstdarg>
#include <filesystem>

// The ABI goes first: the skeleton's rodata names its structs.
#include "maps/abi.h"
// clang-format off
#include "fairlead.skel.h"
// clang-format on
#include "userspace/datapath/pin_directory.h"

namespace fairlead::datapath {
namespace {

// libbpf explains failures only to its printer: what it said last becomes part of our error.
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

Error load_error(int code) {
  std::string hint;
  if (code == EPERM) hint = " (CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON or CAP_SYS_ADMIN are needed)";
  return {
      "load the BPF object: " + std::string(strerror(code)) + hint + (last_words().empty() ? "" : "\n" + last_words()),
      code};
}

std::uint32_t power_of_two(std::uint32_t wanted, std::uint32_t least) {
  return std::bit_ceil(std::max(wanted, least));
}

Sizes rounded(const Sizes& asked) {
  Sizes sizes = asked;
  sizes.ring_slots = power_of_two(asked.ring_slots, LB_RING_CHUNK_SLOTS);
  // A list takes a power of two, rests before its space is used again, and some ports have two of them.
  sizes.members = power_of_two(std::max(asked.members, 4 * asked.backends), LB_MEMBER_CHUNK_SLOTS);
  sizes.flows4 = power_of_two(asked.flows4, LB_FLOW_WAYS);
  sizes.flows6 = power_of_two(asked.flows6, LB_FLOW_WAYS);
  return sizes;
}

// The number that a map's max_entries stands for, and how many entries one of it takes.
struct Sized {
  bpf_map* map;
  std::uint32_t Sizes::* size;
  std::uint32_t multiply;
  std::uint32_t divide;
};

std::vector<Sized> sized_maps(const fairlead_bpf& skeleton) {
  const auto& maps = skeleton.maps;
  const std::uint32_t sets = LB_FLOW_ENTRIES_PER_FLOW / LB_FLOW_WAYS;
  return {{maps.lb_services, &Sizes::frontends, 1, 1},
          {maps.lb_addresses, &Sizes::addresses, 1, 1},
          {maps.lb_service_names, &Sizes::service_ports, 1, 1},
          {maps.lb_backends, &Sizes::backends, 1, 1},
          {maps.lb_backend_stats, &Sizes::backends, 1, 1},
          {maps.lb_rings, &Sizes::ring_slots, 1, LB_RING_CHUNK_SLOTS},
          {maps.lb_members, &Sizes::members, 1, LB_MEMBER_CHUNK_SLOTS},
          {maps.lb_flow4, &Sizes::flows4, sets, 1},
          {maps.lb_flow6, &Sizes::flows6, sets, 1}};
}

std::optional<std::uint32_t> pinned_entries(const std::string& path) {
  const Fd fd(bpf_obj_get(path.c_str()));
  if (!fd) return std::nullopt;
  bpf_map_info info{};
  __u32 length = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd.get(), &info, &length)) return std::nullopt;
  return info.max_entries;
}

}  // namespace

std::string versioned_directory(const std::string& pin_directory) {
  return pin_directory + "/v" + std::to_string(LB_ABI_VERSION);
}

Object::~Object() {
  fairlead_bpf__destroy(skeleton_);
}

Result<std::unique_ptr<Object>> Object::load(const Config& config) {
  std::unique_ptr<Object> object(new Object);
  last_words().clear();
  libbpf_set_print(remember);
  if (auto opened = object->open(config); !opened) return opened.error();
  if (auto sized = object->choose_sizes(config); !sized) return sized.error();
  if (auto seeded = object->choose_constants(config); !seeded) return seeded.error();
  object->configure(config);
  if (const int error = fairlead_bpf__load(object->skeleton_)) return load_error(-error);
  if (auto mapped = object->map_arrays(); !mapped) return mapped.error();
  object->start_clock(config);
  return object;
}

Result<> Object::open(const Config& config) {
  skeleton_ = fairlead_bpf__open();
  if (!skeleton_) return load_error(errno);
  cpus_ = static_cast<std::size_t>(libbpf_num_possible_cpus());
  if (config.pin_directory.empty()) return {};

  if (auto made = make_pin_directory(config.pin_directory); !made) return made;
  auto lock = lock_pins(config.pin_directory);
  if (!lock) return lock.error();
  lock_ = std::move(*lock);
  const std::string directory = versioned_directory(config.pin_directory);
  if (auto made = make_pin_directory(directory); !made) return made;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton_->obj) {
    if (map == skeleton_->maps.rodata) continue;
    const std::string path = directory + "/" + bpf_map__name(map);
    if (const int failed = bpf_map__set_pin_path(map, path.c_str())) return make_error("pin", path, -failed);
  }
  return {};
}

Result<> Object::choose_sizes(const Config& config) {
  sizes_ = rounded(config.sizes);
  for (const Sized& sized : sized_maps(*skeleton_)) {
    const char* path = bpf_map__pin_path(sized.map);
    if (const auto entries = path ? pinned_entries(path) : std::nullopt) {
      adopted_ = true;
      const std::uint32_t size = *entries / sized.multiply * sized.divide;
      if (size != sizes_.*sized.size)
        kept_.push_back(std::string(bpf_map__name(sized.map)) + " with room for " + std::to_string(size) +
                        " instead of " + std::to_string(sizes_.*sized.size));
      sizes_.*sized.size = size;
    }
  }
  for (const Sized& sized : sized_maps(*skeleton_)) {
    const std::uint32_t entries = sizes_.*sized.size * sized.multiply / sized.divide;
    if (const int error = bpf_map__set_max_entries(sized.map, entries))
      return make_error("size", bpf_map__name(sized.map), -error);
  }
  return {};
}

// Flows of an earlier daemon are found only with its seed, and their SNAT ports given back only with its range.
Result<> Object::choose_constants(const Config& config) {
  lb_constants wanted{};
  wanted.snat_port_base = config.snat_ports.first;
  wanted.snat_port_words = static_cast<std::uint16_t>(
      std::min<std::uint32_t>((config.snat_ports.last - config.snat_ports.first + 1) / 64, LB_SNAT_POOL_WORDS));
  lb_constants pinned{};
  const char* path = bpf_map__pin_path(skeleton_->maps.lb_constants);
  const Fd map(path ? bpf_obj_get(path) : -1);
  const std::uint32_t zero = 0;
  if (map && !bpf_map_lookup_elem(map.get(), &zero, &pinned) && pinned.flow_seed[0]) {
    const int last = pinned.snat_port_base + pinned.snat_port_words * 64 - 1;
    const std::string range = std::to_string(pinned.snat_port_base) + " to " + std::to_string(last);
    if (pinned.snat_port_base <= config.nodeports.last && config.nodeports.first <= last)
      return Error{
          "the pinned maps have SNAT ports from " + range + ", which overlap the NodePorts: lbd --cleanup first",
          EINVAL};
    if (pinned.snat_port_base != wanted.snat_port_base || pinned.snat_port_words != wanted.snat_port_words)
      kept_.push_back("SNAT ports from " + range);
    constants_ = pinned;
    return {};
  }
  if (getrandom(wanted.flow_seed, sizeof(wanted.flow_seed), 0) != sizeof(wanted.flow_seed))
    return make_error("read", "random numbers", errno);
  constants_ = wanted;
  return {};
}

void Object::configure(const Config& config) {
  config_.flow4_set_mask = sizes_.flows4 * LB_FLOW_ENTRIES_PER_FLOW / LB_FLOW_WAYS - 1;
  config_.flow6_set_mask = sizes_.flows6 * LB_FLOW_ENTRIES_PER_FLOW / LB_FLOW_WAYS - 1;
  config_.select_seed = config.select_seed;
  config_.nodeport_min = config.nodeports.first;
  config_.nodeport_max = config.nodeports.last;
  std::copy(std::begin(constants_.flow_seed), std::end(constants_.flow_seed), config_.flow_seed);
  config_.snat_port_base = constants_.snat_port_base;
  config_.snat_port_words = constants_.snat_port_words;
  config_.fresh_seconds = config.fresh_seconds;
  *const_cast<lb_config*>(&skeleton_->rodata->lb_config) = config_;
}

Result<> Object::map_arrays() {
  const auto& maps = skeleton_->maps;
  Result<> result;
  const auto map = [&]<class Value>(MappedArray<Value>& array, bpf_map* source) {
    auto mapped = MappedArray<Value>::map(bpf_map__fd(source), bpf_map__max_entries(source), bpf_map__name(source));
    if (mapped)
      array = std::move(*mapped);
    else
      result = mapped.error();
  };
  map(backends, maps.lb_backends);
  map(rings, maps.lb_rings);
  map(members, maps.lb_members);
  map(filter, maps.lb_filter);
  map(clock, maps.lb_clock);
  map(flows4, maps.lb_flow4);
  map(flows6, maps.lb_flow6);
  map(snat_pools, maps.lb_snat_pools);
  services = {bpf_map__fd(maps.lb_services), "lb_services"};
  addresses = {bpf_map__fd(maps.lb_addresses), "lb_addresses"};
  names = {bpf_map__fd(maps.lb_service_names), "lb_service_names"};
  devices = {bpf_map__fd(maps.lb_devices), "lb_devices"};
  const std::uint32_t zero = 0;
  if (bpf_map_update_elem(bpf_map__fd(maps.lb_constants), &zero, &constants_, BPF_ANY))
    return make_error("write", "lb_constants", errno);
  return result;
}

void Object::start_clock(const Config& config) {
  lb_clock& words = clock[0];
  if (!adopted_) {
    words.now = 1;
    words.next_generation = 1;
  }
  std::copy(config.timeouts.begin(), config.timeouts.end(), words.timeout);
  // A window is 2^8 jiffies: about a second at 250 a second, the most common rate, and never more than 2.6.
  words.answer_rate = config.answers_per_second;
  words.route_epoch += 1;
}

int Object::xdp_program() const {
  return bpf_program__fd(skeleton_->progs.lb_xdp);
}
int Object::tc_ingress_program() const {
  return bpf_program__fd(skeleton_->progs.lb_tc_ingress);
}
int Object::tc_egress_program() const {
  return bpf_program__fd(skeleton_->progs.lb_tc_egress);
}
int Object::sweep_program() const {
  return bpf_program__fd(skeleton_->progs.lb_sweep);
}
int Object::verdicts_fd() const {
  return bpf_map__fd(skeleton_->maps.lb_verdicts);
}
int Object::backend_stats_fd() const {
  return bpf_map__fd(skeleton_->maps.lb_backend_stats);
}

}  // namespace fairlead::datapath
