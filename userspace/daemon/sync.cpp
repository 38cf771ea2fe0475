// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/sync.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "userspace/daemon/change_text.h"

namespace fairlead::daemon {
Sync::Sync(Maps maps, Tell tell)
    : write_(std::move(maps.write)),
      tell_(std::move(tell)),
      placement_(maps.limits, maps.first_generation),
      adopted_(maps.adopted) {
  if (!adopted_) return;
  actual_ = std::move(*maps.adopted);
  placement_.adopt(actual_);
  inherited_ = state::Inherited(placement_.desired());
  spdlog::info("adopted {}, {}", counted(placement_.usage().service_ports, "service port"),
               counted(placement_.usage().backends, "backend"));
}

void Sync::changed(const std::set<model::Name>& services, const model::Store& store, Time now) {
  apply(compiler_.update(services, store), store, now);
}

bool Sync::may_complete() const {
  if (unread_.anything || !completed_) return !unread_.anything;
  return !std::includes(unread_.services.begin(), unread_.services.end(), held_back_.begin(), held_back_.end());
}

void Sync::complete(const model::Store& store, Time now) {
  if (!std::exchange(completed_, true))
    held_back_ = unread_.services;
  else
    std::erase_if(held_back_, [&](const model::Name& service) { return !unread_.services.contains(service); });
  remove_unwanted(now);
  // Whatever an earlier daemon left that could not be taken over differs from what is desired, and goes now.
  if (adopted_) unadopted_.add_all(actual_);
  apply(compiler_.update(take_settled(), store), store, now);
  if (held_back_.empty()) inherited_ = {};
}

void Sync::remove_unwanted(Time now) {
  for (const std::string& name : placement_.names())
    if (!specs_.contains(name) && !refused_.contains(name) && !may_lack(compile::service_of(name)))
      placement_.remove(name, now);
}

bool Sync::may_lack(const model::Name& service) const {
  return completed_ ? held_back_.contains(service) : unread_.anything || unread_.services.contains(service);
}

// Services of which everything is known by now, and that were given what they might lack.
std::set<model::Name> Sync::take_settled() {
  std::set<model::Name> settled;
  for (const model::Name& service : mended_)
    if (!may_lack(service)) settled.insert(service);
  for (const model::Name& service : settled)
    mended_.erase(service);
  return settled;
}

void Sync::set_node(const compile::NodeView& view, const std::vector<state::NodeAddress>& addresses,
                    const std::set<model::Name>& services, const model::Store& store, Time now) {
  placement_.set_node_addresses(addresses);
  apply(compiler_.set_node(view, services, store), store, now);
}

void Sync::set_devices(state::Devices::Content devices, Time now) {
  placement_.set_devices(std::move(devices));
  write(now);
}

// What does not fit is tried again where room was given up, be it only an address of a service that stays. That ends:
// who is tried has got in or stays out, and only who comes after it is concerned by that.
void Sync::apply(compile::Compiler::Output output, const model::Store& store, Time now) {
  Work work;
  add(std::move(output), work);
  settle(work, store, now);
  while (placement_.take_freed() && !refused_.empty()) {
    for (const auto& [name, refused] : refused_)
      if (placement_.has_ring_room(refused.ring_growth.slots, refused.ring_growth.share))
        work.put[compiler_.claim_of(refused.spec)] = refused.spec;
    settle(work, store, now);
  }
  forget_lost_frontends();
  tell_problems(work.services);
  write(now);
}

void Sync::add(compile::Compiler::Output output, Work& work) {
  work.services.insert(output.services.begin(), output.services.end());
  for (const std::string& port : output.remove) {
    refused_.erase(port);
    std::erase_if(work.put, [&](const auto& put) { return put.second.name == port; });
    work.gone.insert(port);
  }
  for (state::PortSpec& spec : output.put) {
    work.gone.erase(spec.name);
    const compile::Compiler::Claim& claim = compiler_.claim_of(spec);
    if (may_lack(claim.service) && inherited_.add_to(spec)) mended_.insert(claim.service);
    work.put[claim] = std::move(spec);
  }
}

// Frontends go to the next in line where they are refused, and come back where they are not any more: who comes after a
// service is compiled anew before it is placed, so that nobody's spec has a frontend that one before it has got. What
// is gone goes last: it may be here again when who took its frontend does not fit.
void Sync::settle(Work& work, const model::Store& store, Time now) {
  while (!work.put.empty()) {
    const state::PortSpec spec = std::move(work.put.extract(work.put.begin()).mapped());
    place(spec, now);
    add(compiler_.set_in_vain(spec.name, in_vain(spec.name), store), work);
  }
  for (const std::string& port : std::exchange(work.gone, {}))
    remove(port, now);
}

void Sync::place(const state::PortSpec& spec, Time now) {
  compile::Fit fit = compile::put_what_fits(placement_, spec, now);
  if (fit.served) serve(std::move(*fit.served));
  if (fit.lacking)
    refused_[spec.name] = {spec, std::move(*fit.lacking), fit.ring_growth};
  else
    refused_.erase(spec.name);
}

void Sync::serve(state::PortSpec spec) {
  state::PortSpec& before = specs_[spec.name];
  if (spdlog::should_log(spdlog::level::debug))
    if (const std::string text = change_text(before, spec); !text.empty()) spdlog::debug("{}: {}", spec.name, text);
  before = std::move(spec);
}

void Sync::remove(const std::string& port, Time now) {
  if (specs_.erase(port)) spdlog::debug("{}: gone", port);
  placement_.remove(port, now);
}

// What a port that is refused does not have of the frontends that it wants.
compile::Compiler::Frontends Sync::in_vain(const std::string& port) const {
  compile::Compiler::Frontends in_vain;
  if (const auto it = refused_.find(port); it != refused_.end())
    for (const state::FrontendSpec& frontend : it->second.spec.frontends)
      if (!placement_.has_frontend(port, frontend.key)) in_vain.insert(frontend.key);
  return in_vain;
}

// Who is refused stays as it was, but for frontends that are another's by now.
void Sync::forget_lost_frontends() {
  for (const auto& [name, refused] : refused_)
    if (const auto served = specs_.find(name); served != specs_.end())
      std::erase_if(served->second.frontends, [&](const state::FrontendSpec& frontend) {
        return !placement_.has_frontend(served->first, frontend.key);
      });
}

void Sync::write(Time now) {
  state::Guard guard(placement_.desired(), actual_, pending_.services);
  state::Touched touched = placement_.take_touched();
  touched.merge(std::exchange(pending_, {}));
  touched.merge(std::exchange(unadopted_, {}));
  const Failures before = std::exchange(failures_, {});
  for (const auto& operation : state::diff(placement_.desired(), actual_, touched, placement_.limits())) {
    if (guard.allows(operation) && write(operation, before)) {
      state::apply(actual_, operation);
      guard.made(operation);
    } else {
      state::touch(pending_, operation);
      guard.left_out(operation);
    }
  }
  retry_at_ = pending_.empty() ? std::nullopt : std::optional(now + kRetry);
}

// Logs a failure that is not one of those before.
bool Sync::write(const state::Operation& operation, const Failures& before) {
  const auto written = write_(operation);
  if (written) return true;
  ++failed_writes_;
  const auto& [what, why] = *failures_.emplace(state::describe(operation), written.error().message).first;
  if (const auto it = before.find(what); it == before.end() || it->second != why)
    spdlog::error("{}: {}; trying again", what, why);
  return false;
}

void Sync::tick(const model::Store& store, Time now) {
  placement_.tick(now, state::Held(pending_.services, actual_));
  apply({}, store, now);
}

std::optional<Sync::Time> Sync::next_wakeup() const {
  const auto next = placement_.next_tick();
  if (!retry_at_) return next;
  return next ? std::min(*next, *retry_at_) : *retry_at_;
}

// Backends first: a local one has its filter bucket open.
void Sync::release_unused(const InUse& in_use, Time now) {
  if (!completed_) return;
  std::map<std::uint32_t, std::uint32_t> backends = placement_.lingering_backends();
  for (const std::uint32_t slot : in_use.backends(backends))
    backends.erase(slot);
  std::set<std::uint32_t> slots;
  for (const auto& [slot, generation] : backends)
    slots.insert(slot);
  placement_.release_backends(slots, now);

  const std::vector<std::uint32_t> lingering = placement_.lingering();
  std::set<std::uint32_t> buckets(lingering.begin(), lingering.end());
  for (const std::uint32_t bucket : in_use.buckets(buckets))
    buckets.erase(bucket);
  placement_.release(buckets);
  if (!slots.empty() || !buckets.empty()) write(now);
}

void Sync::tell_problems(const std::set<model::Name>& services) {
  for (const model::Name& service : services)
    tell_problems(service);
}

void Sync::tell_problems(const model::Name& service) {
  std::map<std::string, std::string> now;  // message, reason
  if (const auto it = compiler_.problems().find(service); it != compiler_.problems().end())
    for (const model::Problem& problem : it->second)
      now.emplace(problem.to_string(), "NotHonoured");
  for (const std::string& port : compiler_.ports_of(service))
    if (const auto it = refused_.find(port); it != refused_.end()) now.emplace(it->second.why.message, "DoesNotFit");
  std::set<std::string>& told = told_problems_[service];
  for (const auto& [message, reason] : now)
    if (!told.contains(message)) tell_(service, reason, message);
  told.clear();
  for (const auto& [message, reason] : now)
    told.insert(message);
  if (told.empty()) told_problems_.erase(service);
}

}  // namespace fairlead::daemon
