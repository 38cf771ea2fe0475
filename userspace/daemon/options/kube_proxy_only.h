// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "userspace/daemon/options/values.h"

namespace fairlead::daemon {

// A flag or field of kube-proxy that lbd takes and does not do, so that a node's flags and configuration can stay as
// they are.
struct KubeProxyOnly {
  enum class Use {
    kNone,     // it means nothing to lbd
    kNotYet,   // it would mean something
    kAsItIs,   // lbd does it in any case
    kRefused,  // somebody who says this wants what lbd can't do
  };

  std::string_view flag;   // empty: only a field
  std::string_view field;  // empty: only a flag
  Shape shape = Shape::kText;
  Use use = Use::kNone;
  std::string_view usual{};  // kube-proxy's default, of which nothing needs to be said
  std::string_view why{};

  // Whether the texts say something that kube-proxy does not do by default.
  bool is_unusual(const Texts& texts) const;
  // What lbd makes of it, for people.
  std::string remark() const;
};

std::span<const KubeProxyOnly> kube_proxy_only();

}  // namespace fairlead::daemon
