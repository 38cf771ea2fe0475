// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace fairlead::test {

// By their names in manifests, without CAP_: BPF, NET_ADMIN.
using Capabilities = std::vector<std::string>;

// A launcher that leaves root these capabilities and no way to others.
std::vector<std::string> confined_to(const Capabilities& capabilities);

// A launcher in whose eyes all file systems are read-only but /dev, processes' entries in /proc, and below `writable`.
std::vector<std::string> only_writing_to(const std::vector<std::string>& writable);

}  // namespace fairlead::test
