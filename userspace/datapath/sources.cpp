// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/sources.h"

#include <atomic>
#include <cstring>
#include <vector>

namespace fairlead::datapath {
namespace {

bool equal(const lb_addr& a, const lb_addr& b) {
  return std::memcmp(&a, &b, sizeof(lb_addr)) == 0;
}

}  // namespace

void Sources::set(std::uint32_t slot, const lb_addr& source) {
  std::atomic_ref(backends_[slot].source).store(index_of(source), std::memory_order_release);
}

std::uint32_t Sources::index_of(const lb_addr& source) {
  if (equal(source, {})) return 0;
  for (std::uint32_t index = 1; index < addresses_.size(); ++index)
    if (equal(addresses_[index].addr, source)) return index;
  const std::uint32_t index = take_place();
  if (index) addresses_[index].addr = source;
  return index;
}

// The next one in turn that no backend refers to, so that what was just given up rests: a program may have read its
// index a moment ago. 0: there is none.
std::uint32_t Sources::take_place() {
  const auto places = static_cast<std::uint32_t>(addresses_.size());
  std::vector<bool> used(places);
  used[0] = true;
  for (const lb_backend& backend : backends_)
    if (backend.source < places) used[backend.source] = true;
  for (std::uint32_t i = 0; i < places; ++i) {
    last_taken_ = (last_taken_ + 1) % places;
    if (!used[last_taken_]) return last_taken_;
  }
  return 0;
}

}  // namespace fairlead::datapath
