// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define LB_DEFINE_TABLES
#include "tables.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
