// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/util/result.h"

namespace fairlead::datapath {

// libbpf explains failures only to its printer. From now on what it says becomes part of load_error().
void listen_to_libbpf();
Error load_error(int code);

}  // namespace fairlead::datapath
