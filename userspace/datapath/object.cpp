// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/object.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <iterator>

// The ABI goes first: the skeleton's rodata names its structs.
#include "maps/abi.h"
// clang-format off
#include "fairlead.skel.h"
// clang-format on
#include "userspace/datapath/constants.h"
#include "userspace/datapath/layout_btf.h"
#include "userspace/datapath/layout_plan.h"
#include "userspace/datapath/load_log.h"
#include "userspace/datapath/pin_directory.h"
#include "userspace/datapath/pin_owner.h"
#include "userspace/datapath/sizes.h"
#include "userspace/datapath/upgrade.h"
#include "userspace/datapath/version1.h"

namespace fairlead::datapath {
namespace {

constexpr std::uint32_t kFirst = 0;
// An entry is told that it lives after an eighth of its life, or after this many seconds: so much sooner than its
// timeout says a flow may end.
constexpr std::uint32_t kRenewals = 8, kRenewAfter = 60;
// Longer than programs take to be replaced and flows to be carried, and shorter than TCP gives a connection up.
constexpr std::chrono::seconds kLongestHandover{10};

Layouts describe(const fairlead_bpf& skeleton) {
  Layouts layouts;
  for (const MapLayout& is : map_layouts())
    layouts[is.map] = layout_of(skeleton.obj, bpf_object__find_map_by_name(skeleton.obj, is.map));
  return layouts;
}

Result<std::optional<lb_constants>> read_constants(int map) {
  lb_constants constants{};
  if (bpf_map_lookup_elem(map, &kFirst, &constants)) return make_error("read", "lb_constants", errno);
  return std::optional(constants);
}

// The only value of a map that has one. None where this layout has no room for it.
template <class Value>
Result<std::optional<Value>> convert_first(const ForeignMap& from, const Layout& layout) {
  std::vector<std::byte> old((std::size_t{from.info.value_size} + 7) / 8 * 8);
  Value value{};
  if (bpf_map_lookup_elem(from.fd.get(), &kFirst, old.data())) return make_error("read", from.label(), errno);
  const bool fits = Plan(from.layout.value, layout.value).apply(old, std::as_writable_bytes(std::span(&value, 1)));
  return fits ? std::optional(value) : std::nullopt;
}

std::uint32_t highest_generation(const MappedArray<lb_backend>& backends) {
  std::uint32_t highest = 0;
  for (const lb_backend& backend : backends.values())
    highest = std::max(highest, backend.generation);
  return highest;
}

}  // namespace

Object::Object() : upgrade_(std::make_unique<Upgrade>()) {
}

Object::~Object() {
  fairlead_bpf__destroy(skeleton_);
}

Result<std::unique_ptr<Object>> Object::load(const Config& config) {
  std::unique_ptr<Object> object(new Object);
  listen_to_libbpf();
  if (auto opened = object->open(config); !opened) return opened.error();
  if (auto sized = object->choose_sizes(config); !sized) return sized.error();
  if (auto seeded = object->choose_constants(config); !seeded) return seeded.error();
  object->configure(config);
  if (auto adopted = object->adopt_maps(); !adopted) return adopted.error();
  if (const int error = fairlead_bpf__load(object->skeleton_)) return load_error(-error);
  if (auto mapped = object->map_arrays(); !mapped) return mapped.error();
  if (auto converted = object->convert_maps(); !converted) return converted.error();
  object->start_clock(config);
  if (auto pinned = object->pin_maps(); !pinned) return pinned.error();
  return object;
}

Result<Layouts> Object::layouts() {
  fairlead_bpf* skeleton = fairlead_bpf__open();
  if (!skeleton) return load_error(errno);
  Layouts layouts = describe(*skeleton);
  fairlead_bpf__destroy(skeleton);
  return layouts;
}

void Object::begin_handover() {
  if (!upgrade_->moves_flows()) return;
  upgrade_->catch_up();
  const auto until = std::chrono::steady_clock::now() + kLongestHandover;
  set_handover_until(static_cast<std::uint64_t>(std::chrono::nanoseconds(until.time_since_epoch()).count()));
}

std::vector<Error> Object::finish_upgrade() {
  auto left = upgrade_->finish(lost_);
  set_handover_until(0);
  return left;
}

int Object::take_unmanaged_device() {
  return static_cast<int>(std::atomic_ref(skeleton_->bss->lb_unmanaged_device).exchange(0));
}

void Object::set_handover_until(std::uint64_t nanoseconds) {
  std::atomic_ref(skeleton_->bss->lb_handover_until).store(nanoseconds);
}

Result<> Object::open(const Config& config) {
  skeleton_ = fairlead_bpf__open();
  if (!skeleton_) return load_error(errno);
  cpus_ = static_cast<std::size_t>(libbpf_num_possible_cpus());
  layouts_ = describe(*skeleton_);
  if (config.pin_directory.empty()) return {};
  return open_pins(config.pin_directory);
}

Result<> Object::open_pins(const std::string& directory) {
  pins_.emplace(directory);
  if (auto made = pins_->make(); !made) return made;
  auto lock = lock_pins(directory);
  if (!lock) return lock.error();
  lock_ = std::move(*lock);
  if (auto owned = check_pin_owner(directory); !owned) return owned;
  if (auto marked = mark_pin_owner(directory); !marked) return marked;
  if (auto moved = take_over_v1(*pins_); !moved) return moved;
  for (const MapLayout& is : map_layouts()) {
    auto pinned = open_pinned(*pins_, is, layouts_.at(is.map));
    if (!pinned) return pinned.error();
    if (pinned->map) pinned_[is.map] = std::move(pinned->map);
    if (!pinned->lost.empty() && !is_derived(is.kept)) lost_.push_back(std::move(pinned->lost));
  }
  auto upgrade = Upgrade::find(*pins_, lost_);
  if (!upgrade) return upgrade.error();
  *upgrade_ = std::move(*upgrade);
  adopted_ = !pinned_.empty() || upgrade_->found();
  return adopted_ ? note_missing(*pins_) : Result<>();
}

// Every build has flow tables; any other map is only missed where its description shows that it was there.
Result<> Object::note_missing(const Pins& pins) {
  const auto described = pins.described();
  if (!described) return described.error();
  for (const MapLayout& is : map_layouts()) {
    if (is_derived(is.kept) || pinned_.contains(is.map) || upgrade_->other(is.map)) continue;
    const auto was_there = [&](const Pins::Map& one) { return one.name == is.map; };
    if (is.kept != Kept::FLOWS && std::ranges::none_of(*described, was_there)) continue;
    const auto is_told = [&](const std::string& lost) { return lost.starts_with(std::string(is.map) + "-v"); };
    if (std::any_of(lost_.begin(), lost_.end(), is_told)) continue;
    lost_.push_back(std::string(is.map) + ": it is not pinned any more, and begins empty");
  }
  return {};
}

bpf_map* Object::find(const char* name) const {
  return bpf_object__find_map_by_name(skeleton_->obj, name);
}

Result<> Object::choose_sizes(const Config& config) {
  sizes_ = rounded(config.sizes);
  for (const Sized& sized : sized_maps()) {
    const ForeignMap* other = upgrade_->other(sized.map);
    const auto pinned = pinned_.find(sized.map);
    if (pinned == pinned_.end() && !other) continue;
    const auto info = info_of(pinned == pinned_.end() ? other->fd.get() : pinned->second.get());
    if (!info) return info.error();
    const std::uint32_t asked = sizes_.*sized.size;
    sized.set(sizes_, info->max_entries);
    if (sized.option && asked != sizes_.*sized.size)
      kept_.push_back(std::string(sized.option) + " at " + std::to_string(sizes_.*sized.size) + " instead of " +
                      std::to_string(asked));
  }
  // Another build's numbers need not be what this one can have.
  sizes_ = rounded(sizes_);
  if (auto checked = check_pinned_sizes(); !checked) return checked;
  for (const Sized& sized : sized_maps())
    if (const int error = bpf_map__set_max_entries(find(sized.map), sized.entries(sizes_)))
      return make_error("size", sized.map, -error);
  return {};
}

// Programs and lbd reckon with one size of each kind, so a map that has another would be written beyond its end.
Result<> Object::check_pinned_sizes() const {
  for (const Sized& sized : sized_maps()) {
    const auto pinned = pinned_.find(sized.map);
    if (pinned == pinned_.end()) continue;
    const auto info = info_of(pinned->second.get());
    if (!info) return info.error();
    if (info->max_entries != sized.entries(sizes_))
      return Error{std::string(sized.map) + ": the pinned map has " + std::to_string(info->max_entries) +
                       " entries, and with the other pinned maps this lbd could use " +
                       std::to_string(sized.entries(sizes_)) + ": lbd --cleanup removes them, and all connections",
                   EINVAL};
  }
  return {};
}

Result<> Object::choose_constants(const Config& config) {
  Result<std::optional<lb_constants>> pinned;
  if (const auto it = pinned_.find("lb_constants"); it != pinned_.end())
    pinned = read_constants(it->second.get());
  else if (const ForeignMap* other = upgrade_->other("lb_constants"))
    pinned = convert_first<lb_constants>(*other, layouts_.at("lb_constants"));
  if (!pinned) return pinned.error();
  auto chosen = datapath::choose_constants(*pinned, config, kept_);
  if (!chosen) return chosen.error();
  constants_ = *chosen;
  return {};
}

void Object::configure(const Config& config) {
  config_.flow4_set_mask = sizes_.flows4 * LB_FLOW_ENTRIES_PER_FLOW / LB_FLOW_WAYS - 1;
  config_.flow6_set_mask = sizes_.flows6 * LB_FLOW_ENTRIES_PER_FLOW / LB_FLOW_WAYS - 1;
  config_.select_seed = config.select_seed;
  config_.nodeport_min = config.nodeports.first;
  config_.nodeport_max = config.nodeports.last;
  config_.flow_keys = lb_flow_keys(constants_.flow_seed);
  config_.snat_port_base = constants_.snat_port_base;
  config_.snat_port_words = constants_.snat_port_words;
  *const_cast<lb_config*>(&skeleton_->rodata->lb_config) = config_;
}

// Maps that are pinned in this build's layout take the place of those that loading would make.
Result<> Object::adopt_maps() {
  for (const auto& [name, map] : pinned_)
    if (const int error = bpf_map__reuse_fd(find(name.c_str()), map.get()))
      return make_error("take over", name, -error);
  return {};
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
  map(sources, maps.lb_sources);
  map(rings, maps.lb_rings);
  map(members, maps.lb_members);
  map(filter, maps.lb_filter);
  map(frames, maps.lb_frames);
  map(clock, maps.lb_clock);
  map(flows4, maps.lb_flow4);
  map(flows6, maps.lb_flow6);
  map(snat_pools, maps.lb_snat_pools);
  services = {bpf_map__fd(maps.lb_services), "lb_services"};
  addresses = {bpf_map__fd(maps.lb_addresses), "lb_addresses"};
  names = {bpf_map__fd(maps.lb_service_names), "lb_service_names"};
  devices = {bpf_map__fd(maps.lb_devices), "lb_devices"};
  if (bpf_map_update_elem(bpf_map__fd(maps.lb_constants), &kFirst, &constants_, BPF_ANY))
    return make_error("write", "lb_constants", errno);
  return result;
}

// What is made of other maps is made where it is missing, too.
Result<> Object::convert_maps() {
  if (!adopted_) return {};
  std::vector<Upgrade::Target> targets;
  for (const MapLayout& is : map_layouts()) {
    const bpf_map* map = find(is.map);
    targets.push_back(
        {&is, {bpf_map__fd(map), layouts_.at(is.map), bpf_map__max_entries(map)}, pinned_.contains(is.map)});
  }
  const bool shared = pinned_.contains("lb_snat_pools") && !upgrade_->other("lb_snat_pools");
  const SnatPorts ports{&snat_pools, constants_.snat_port_base, constants_.snat_port_words, shared};
  const auto expiry = foreign_expiry();
  if (!expiry) return expiry.error();
  auto lost =
      upgrade_->convert(targets, {&flows4, &flows6, &backends, &filter, ports, &config_.flow_keys, *expiry}, cpus_);
  if (!lost) return lost.error();
  std::ranges::move(*lost, std::back_inserter(lost_));
  return {};
}

Result<ExpiryOf> Object::foreign_expiry() const {
  const ForeignMap* other = upgrade_->other("lb_clock");
  if (!other || other->layout.value.find("jiffies_per_second")) return ExpiryOf{};
  const auto theirs = convert_first<lb_clock>(*other, layouts_.at("lb_clock"));
  if (!theirs) return theirs.error();
  const std::optional<lb_clock>& words = *theirs;
  const auto ours = now();
  if (!words || !ours) return ExpiryOf{};
  return ExpiryOf{true, words->now, *ours, jiffies_per_second()};
}

Result<> Object::pin_maps() {
  if (!pins_) return {};
  for (const MapLayout& is : map_layouts()) {
    if (pinned_.contains(is.map)) continue;
    if (auto pinned = pin_map(*pins_, is, layouts_.at(is.map), bpf_map__fd(find(is.map))); !pinned) return pinned;
  }
  return {};
}

Object::Repinned Object::restore_pins() {
  Repinned result;
  if (!pins_) return result;
  if (auto locked = ensure_lock(*pins_); !locked) return {{}, {locked.error()}};
  for (const MapLayout& is : map_layouts()) {
    const int map = bpf_map__fd(find(is.map));
    const auto there = is_pinned(*pins_, is, map);
    if (there && *there) continue;
    const auto pinned = there ? pin_map(*pins_, is, layouts_.at(is.map), map) : there.error();
    if (pinned)
      result.maps.emplace_back(is.map);
    else
      result.failed.push_back(pinned.error());
  }
  return result;
}

// The lock goes with the directory.
Result<> Object::ensure_lock(const Pins& pins) {
  if (auto made = pins.make(); !made) return made;
  if (!is_locked(pins.directory(), lock_)) {
    auto lock = lock_pins(pins.directory());
    if (!lock) return lock.error();
    lock_ = std::move(*lock);
  }
  return mark_pin_owner(pins.directory());
}

void Object::start_clock(const Config& config) {
  lb_clock& words = clock[0];
  words.jiffies_per_second = jiffies_per_second();
  if (const auto ticks = now()) words.now = *ticks;
  if (!words.next_generation) words.next_generation = highest_generation(backends) + 1;
  for (std::size_t i = 0; i < config.timeouts.size(); ++i) {
    words.timeout[i] = ticks_of(config.timeouts[i], words.jiffies_per_second);
    words.renew_below[i] =
        words.timeout[i] - std::min(words.timeout[i] / kRenewals, ticks_of(kRenewAfter, words.jiffies_per_second));
  }
  // A window is 2^8 jiffies: about a second at 250 a second, the most common rate, and never more than 2.6.
  words.answer_rate = config.answers_per_second;
  words.route_epoch += 1;
}

Result<> Object::sweep(lb_sweep& request) const {
  struct {
    std::uint8_t ethernet[LB_SWEEP_OFFSET];
    lb_sweep request;
  } packet{}, answer{};
  packet.request = request;
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = &packet;
  options.data_size_in = sizeof(packet);
  options.data_out = &answer;
  options.data_size_out = sizeof(answer);
  options.repeat = 1;
  if (bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.lb_sweep), &options))
    return make_error("run", "lb_sweep", errno);
  request = answer.request;
  return {};
}

// By a sweep of sets that are not there.
Result<std::uint32_t> Object::now() const {
  lb_sweep request{};
  request.family = LB_AF_INET;
  request.first_set = static_cast<std::uint32_t>(flows4.size());
  if (auto swept = sweep(request); !swept) return swept.error();
  return request.now;
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
int Object::verdicts_fd() const {
  return bpf_map__fd(skeleton_->maps.lb_verdicts);
}
int Object::backend_stats_fd() const {
  return bpf_map__fd(skeleton_->maps.lb_backend_stats);
}

}  // namespace fairlead::datapath
