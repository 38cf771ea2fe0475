// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/forwarding.h"

#include <spdlog/spdlog.h>

#include <span>

#include "userspace/daemon/maps.h"
#include "userspace/datapath/counters.h"
#include "userspace/datapath/namespace_lock.h"

namespace fairlead::daemon {
namespace {

constexpr std::chrono::seconds kHealthTimeout{60};
constexpr std::chrono::seconds kCheckAttachments{1};

void warn_of_lost(std::span<const std::string> lost) {
  for (const std::string& one : lost)
    spdlog::warn("cannot be taken over from another lbd: {}", one);
}

}  // namespace

Forwarding::Forwarding(const Parts& parts, Loaded loaded)
    : parts_(parts),
      lock_(std::move(loaded.lock)),
      object_(std::move(loaded.object)),
      network_(*object_, parts_.options, std::move(loaded.host)),
      sync_(maps_of(*object_, [this](const auto& operation) { ways_.prepare(operation); }),
            [this](const auto&... what) { remark(what...); }),
      ways_({*object_, parts_.options, network_, sync_}, std::move(loaded.routes)),
      way_checks_({*object_, network_, sync_, parts_.store, ways_}),
      upkeep_(parts_.io, *object_, sync_, parts_.options.datapath.pin_directory),
      health_(kHealthTimeout),
      inspection_({parts_.options, *object_, network_, ways_, way_checks_, sync_, parts_.store, upkeep_, parts_.source,
                   parts_.endpoints}),
      metrics_({inspection_, health_, [this] { return sync_.failed_writes(); },
                [this] { return sync_.placement().backend_slots_end(); },
                [this](std::uint32_t end) { return datapath::read_service_stats(*object_, end); }}),
      programmer_(parts_.io,
                  {parts_.store, sync_, health_, metrics_, [this](const auto* node) { return node_state(node); }}),
      host_(parts_.io, network_, [this] { programmer_.node_changed(); }),
      attachments_(parts_.io, kCheckAttachments, [this] { check_attachments(); }) {
}

Result<std::unique_ptr<Forwarding>> Forwarding::load(const Parts& parts) {
  auto loaded = load_parts(parts);
  if (!loaded) return loaded.error();
  for (const std::string& kept : loaded->object->kept())
    spdlog::warn("the pinned maps keep {}; lbd --cleanup removes them, and all connections", kept);
  warn_of_lost(loaded->object->lost());
  return std::unique_ptr<Forwarding>(new Forwarding(parts, *std::move(loaded)));
}

Result<Forwarding::Loaded> Forwarding::load_parts(const Parts& parts) {
  auto host = host::Host::open();
  if (!host) return host.error();
  const std::vector<std::string>& devices = parts.options.devices;
  const DeviceChoice before = earlier_choice(devices, parts.options.datapath.pin_directory);
  if (auto usable = check_devices(devices, *host, before); !usable) return usable.error();
  auto lock = datapath::lock_network_namespace();
  if (!lock) return lock.error();
  auto routes = host::RouteLookup::open();
  if (!routes) return routes.error();
  auto object = datapath::Object::load(parts.options.datapath);
  if (!object) return object.error();
  return Loaded{*std::move(lock), *std::move(object), *std::move(host), *std::move(routes)};
}

Result<> Forwarding::start() {
  object_->begin_handover();
  if (auto attached = network_.attach(); !attached) return attached;
  finish_upgrade();
  programmer_.node_changed();
  return {};
}

// When nothing forwards by maps of another layout any more.
void Forwarding::finish_upgrade() {
  if (upkeep_.is_upgraded() || network_.has_earlier_programs()) return;
  const std::size_t told = object_->lost().size();
  upkeep_.finish_upgrade();
  warn_of_lost(std::span(object_->lost()).subspan(told));
}

void Forwarding::check_attachments() {
  ways_.follow();
  const bool attached = network_.check_attachments(ways_.devices()), ways = ways_.check();
  finish_upgrade();
  way_checks_.check();
  if (attached || ways) programmer_.node_changed();
}

void Forwarding::remark(const model::Name& service, const std::string& reason, const std::string& message) {
  spdlog::warn("{}", message);
  parts_.source.remark({service, reason, message});
}

NodeState Forwarding::node_state(const model::Node* node) {
  network_.set_node(node);
  ways_.set_node(node);
  const datapath::PortRange& node_ports = parts_.options.datapath.nodeports;
  return {{parts_.options.node_name,
           node ? node->zone : "",
           network_.host_addresses(),
           {node_ports.first, node_ports.last}},
          network_.node_addresses(node),
          ways_.device_table()};
}

}  // namespace fairlead::daemon
