// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>

namespace fairlead::model {

// An object's namespace and name. Cluster-scoped objects have no namespace.
struct Name {
  std::string space;
  std::string name;

  auto operator<=>(const Name&) const = default;

  // "default/web", or "web" without a namespace.
  std::string to_string() const { return space.empty() ? name : space + "/" + name; }
};

}  // namespace fairlead::model
