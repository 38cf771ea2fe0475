// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/state/address_book.h"
#include "userspace/state/numbers.h"

namespace fairlead::state {

// The places of lb_backends: each use of a slot has a generation that none had before.
class BackendSlots {
 public:
  // first_generation is larger than any that a flow may remember.
  BackendSlots(Desired& desired, AddressBook& addresses, std::uint32_t first_generation);

  // A slot for the endpoint. It is as good as unused until keep(), so that it can be forgotten again without a trace.
  std::uint32_t take(const lb_service_key& endpoint, std::uint32_t service_id);
  void forget(std::uint32_t slot);
  // The backend is to have these flags.
  void keep(std::uint32_t slot, std::uint32_t flags);
  // It is nobody's endpoint any more. Unless it was terminating, or its protocol's flows only cease, it has left alive:
  // its flows go on, new ones go elsewhere.
  void leave(std::uint32_t slot);
  bool has_left_alive(std::uint32_t slot) const { return desired_.tables.backends.at(slot).flags & LB_BACKEND_LEFT; }
  std::uint32_t generation(std::uint32_t slot) const { return desired_.tables.backends.at(slot).generation; }
  // Nobody has it any more; reuse() when it has rested.
  void retire(std::uint32_t slot);
  void reuse(std::uint32_t slot) { slots_.give_back(slot); }

  std::uint32_t used() const { return slots_.used(); }
  std::uint32_t end() const { return slots_.end(); }
  std::uint32_t next_generation() const { return next_generation_; }

  // As an earlier daemon left it. finish_adoption() when that was the last.
  void adopt(std::uint32_t slot, const lb_backend& backend);
  void skip_generation(std::uint32_t generation);
  void finish_adoption() { slots_.adopt(desired_.tables.backends); }

 private:
  std::uint32_t new_generation();
  void set_flags(lb_backend& backend, std::uint32_t flags);

  Desired& desired_;
  AddressBook& addresses_;
  Numbers slots_;
  std::uint32_t next_generation_;
};

}  // namespace fairlead::state
