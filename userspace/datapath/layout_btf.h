// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/datapath/layout.h"

struct bpf_map;
struct bpf_object;

namespace fairlead::datapath {

// What an opened object's type information says of a map. To be asked before its size is set.
Layout layout_of(const bpf_object* object, const bpf_map* map);

}  // namespace fairlead::datapath
