// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/sync.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace fairlead::daemon {
namespace {

state::Limits limits_of(const datapath::Sizes& sizes) {
  return {sizes.frontends, sizes.addresses, sizes.service_ports, sizes.backends, sizes.ring_slots, sizes.members};
}

}  // namespace

Sync::Sync(datapath::Object& object)
    : object_(object), placement_(limits_of(object.sizes()), object.clock[0].next_generation) {
  if (!object.adopted()) return;
  actual_ = datapath::read_back(object);
  placement_.adopt(actual_);
  spdlog::info("adopted {} service ports, {} backends and their flows", placement_.usage().service_ports,
               placement_.usage().backends);
}

void Sync::changed(const std::set<model::Name>& services, const model::Store& store, Time now) {
  apply(compiler_.update(services, store), now);
}

void Sync::complete(Time now) {
  completed_ = true;
  for (const std::string& name : placement_.names())
    if (!specs_.contains(name) && !refused_.contains(name)) placement_.remove(name, now);
  // Whatever an earlier daemon left that could not be taken over differs from what is wanted, and goes now.
  pending_.add_all(actual_);
  write(now);
}

void Sync::set_node(const compile::NodeView& view, const std::vector<state::NodeAddress>& addresses,
                    const model::Store& store, Time now) {
  placement_.set_node_addresses(addresses);
  apply(compiler_.set_node(view, store), now);
}

void Sync::apply(compile::Compiler::Output output, Time now) {
  for (const std::string& name : output.remove) {
    specs_.erase(name);
    refused_.erase(name);
    placement_.remove(name, now);
  }
  for (const state::PortSpec& spec : output.put)
    place(spec, now);
  if (!output.remove.empty()) retry_refused(now);
  log_problems(output.services);
  write(now);
}

void Sync::place(const state::PortSpec& spec, Time now) {
  const auto placed = placement_.put(spec, now);
  if (placed) {
    refused_.erase(spec.name);
    specs_[spec.name] = spec;
    return;
  }
  if (!refused_.contains(spec.name)) spdlog::error("{}", placed.error().message);
  refused_[spec.name] = {spec, placed.error()};
}

void Sync::retry_refused(Time now) {
  const auto refused = refused_;
  for (const auto& [name, one] : refused)
    place(one.spec, now);
}

void Sync::write(Time now) {
  state::Touched touched = placement_.take_touched();
  touched.merge(std::exchange(pending_, {}));
  for (const auto& operation : state::diff(placement_.wanted(), actual_, touched)) {
    const auto written = datapath::write(object_, operation);
    if (written) {
      state::apply(actual_, operation);
      continue;
    }
    ++failed_writes_;
    state::touch(pending_, operation);
    const std::string what = state::describe(operation) + ": " + written.error().message;
    if (logged_failures_.insert(what).second) spdlog::error("{}; trying again", what);
  }
  if (pending_.empty()) {
    logged_failures_.clear();
    retry_at_.reset();
  } else {
    retry_at_ = now + kRetry;
  }
}

void Sync::tick(Time now) {
  placement_.tick(now);
  if (!refused_.empty()) retry_refused(now);
  write(now);
}

std::optional<Sync::Time> Sync::next_wakeup() const {
  const auto next = placement_.next_tick();
  if (!retry_at_) return next;
  return next ? std::min(*next, *retry_at_) : *retry_at_;
}

void Sync::release_unused(const std::function<std::set<std::uint32_t>(const std::set<std::uint32_t>&)>& in_use,
                          Time now) {
  const std::vector<std::uint32_t> lingering = placement_.lingering();
  if (lingering.empty() || !completed_) return;
  std::set<std::uint32_t> unused(lingering.begin(), lingering.end());
  for (const std::uint32_t bucket : in_use(unused))
    unused.erase(bucket);
  placement_.release(unused);
  write(now);
}

void Sync::log_problems(const std::set<model::Name>& services) {
  for (const model::Name& service : services) {
    std::set<std::string> now;
    if (const auto it = compiler_.problems().find(service); it != compiler_.problems().end())
      for (const model::Problem& problem : it->second)
        now.insert(problem.to_string());
    std::set<std::string>& logged = logged_problems_[service];
    for (const std::string& problem : now)
      if (!logged.contains(problem)) spdlog::warn("{}", problem);
    if (now.empty())
      logged_problems_.erase(service);
    else
      logged = std::move(now);
  }
}

}  // namespace fairlead::daemon
