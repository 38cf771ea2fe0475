// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "userspace/compile/compiler.h"
#include "userspace/compile/fit.h"
#include "userspace/source/unread.h"
#include "userspace/state/guard.h"
#include "userspace/state/inherited.h"
#include "userspace/state/placement.h"

namespace fairlead::daemon {

// Keeps the maps equal to what the store asks for: compile what changed, place it, write the difference. Every call is
// a transaction on the event loop's thread.
//
// Until complete() nothing that an earlier daemon left is removed: it keeps forwarding while the sources are read. A
// Service of which something could not be read is not served worse than before: see Inherited.
//
// A write that fails leaves the map as it was; it is counted, logged once, and tried again at the next wakeup, and so
// are the writes that count on it, which are not made before it. A service that does not fit is served as far as it
// does, see compile::put_what_fits(), and is tried again when room may have become free; meanwhile the next in line has
// the frontends that it does not have.
// Services are placed one by one, and in their order of precedence: it decides who has a frontend, and who has the
// room.
class Sync {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Told once when a service can't be had as it is written, and why: a word and a sentence.
  using Tell = std::function<void(const model::Name&, const std::string& reason, const std::string& message)>;

  // What there is to write to. An error of write leaves the map as it was.
  struct Maps {
    state::Limits limits;
    std::uint32_t first_generation = 1;    // larger than any that a flow may remember
    std::optional<state::Tables> adopted;  // what an earlier daemon left in them
    std::function<Result<>(const state::Operation&)> write;
  };

  // Takes over what the maps hold.
  Sync(Maps maps, Tell tell);

  void changed(const std::set<model::Name>& services, const model::Store& store, Time now);
  // What the store lacks, to be told before what has changed.
  void set_unread(source::Unread unread) { unread_ = std::move(unread); }
  // Whether it is known which Services there are, and of more of them than before that nothing is lacking.
  bool may_complete() const;
  // changed() was told of all that could be read: what was not asked for is removed from the maps, but for Services of
  // which something could not.
  void complete(const model::Store& store, Time now);
  // These services have changed, and perhaps the node.
  void set_node(const compile::NodeView& view, const std::vector<state::NodeAddress>& addresses,
                const std::set<model::Name>& services, const model::Store& store, Time now);

  // The devices that the programs are on.
  void set_devices(state::Devices::Content devices, Time now);

  // Does what has become due. Call it at next_wakeup().
  void tick(const model::Store& store, Time now);
  std::optional<Time> next_wakeup() const;

  // What is there only for flows that may be gone by now: filter buckets, and slots of backends with their generations.
  // Those that in_use does not return are closed, and given up.
  struct InUse {
    std::function<std::set<std::uint32_t>(const std::set<std::uint32_t>&)> buckets;
    std::function<std::set<std::uint32_t>(const std::map<std::uint32_t, std::uint32_t>&)> backends;
  };
  void release_unused(const InUse& in_use, Time now);

  bool completed() const { return completed_; }
  std::uint64_t failed_writes() const { return failed_writes_; }
  bool has_pending_writes() const { return !pending_.empty(); }
  const compile::Compiler& compiler() const { return compiler_; }
  const state::Placement& placement() const { return placement_; }
  // What the maps hold, every write that failed left out.
  const state::Tables& actual() const { return actual_; }
  // Of the writes that failed and have still to succeed: why, by state::describe().
  using Failures = std::map<std::string, std::string>;
  const Failures& failures() const { return failures_; }
  // What is served, by service port id.
  const std::map<std::string, state::PortSpec>& specs() const { return specs_; }
  struct Refused {
    state::PortSpec spec;
    Error why;
    compile::RingGrowth ring_growth;  // see compile::Fit
  };
  // What did not fit as it is wanted, by service port id; specs() has what is served of it.
  const std::map<std::string, Refused>& refused() const { return refused_; }

 private:
  // What is still to be done for one change.
  struct Work {
    std::map<compile::Compiler::Claim, state::PortSpec> put;
    std::set<std::string> gone;
    std::set<model::Name> services;  // that it has concerned so far
  };

  void apply(compile::Compiler::Output output, const model::Store& store, Time now);
  void add(compile::Compiler::Output output, Work& work);
  void settle(Work& work, const model::Store& store, Time now);
  void place(const state::PortSpec& spec, Time now);
  void serve(state::PortSpec spec);
  void remove(const std::string& port, Time now);
  compile::Compiler::Frontends in_vain(const std::string& port) const;
  void forget_lost_frontends();
  void write(Time now);
  bool write(const state::Operation& operation, const Failures& before);
  bool may_lack(const model::Name& service) const;
  std::set<model::Name> take_settled();
  void remove_unwanted(Time now);
  void tell_problems(const std::set<model::Name>& services);
  void tell_problems(const model::Name& service);

  static constexpr std::chrono::seconds kRetry{1};

  std::function<Result<>(const state::Operation&)> write_;
  Tell tell_;
  state::Placement placement_;
  compile::Compiler compiler_;
  state::Tables actual_;
  bool adopted_;
  state::Inherited inherited_;
  source::Unread unread_{true, {}};
  std::set<model::Name> held_back_;  // Services of which something is lacking since the start
  std::set<model::Name> mended_;     // Services that were given of what was inherited what they may lack
  state::Touched pending_;           // keys whose last write failed, or waits for one that did
  state::Touched unadopted_;         // keys that may be left of an earlier daemon
  std::map<std::string, state::PortSpec> specs_;
  std::map<std::string, Refused> refused_;
  std::map<model::Name, std::set<std::string>> told_problems_;
  Failures failures_;
  std::optional<Time> retry_at_;
  std::uint64_t failed_writes_ = 0;
  bool completed_ = false;
};

}  // namespace fairlead::daemon
