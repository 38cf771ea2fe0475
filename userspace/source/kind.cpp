// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/kind.h"

#include <algorithm>

namespace fairlead::source {
namespace {

constexpr const Kind* kAll[] = {
    &kService,
    &kEndpointSlice,
    &kNode,
    &kEndpoints,
};

}  // namespace

std::span<const Kind* const> all_kinds() {
  return kAll;
}

const Kind* find_kind(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kAll), std::end(kAll), [&](const Kind* kind) { return kind->name == name; });
  return found == std::end(kAll) ? nullptr : *found;
}

std::string_view group_of(std::string_view api_version) {
  const auto slash = api_version.find('/');
  return slash == std::string_view::npos ? "" : api_version.substr(0, slash);
}

std::strong_ordering Key::operator<=>(const Key& other) const {
  const auto by_kind = kind->name <=> other.kind->name;
  return by_kind == 0 ? name <=> other.name : by_kind;
}

std::string Key::to_string() const {
  return std::string(kind->name) + " " + name.to_string();
}

}  // namespace fairlead::source
