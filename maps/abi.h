/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_ABI_H
#define LB_MAPS_ABI_H

#include "backend.h"
#include "base.h"
#include "clock.h"
#include "config.h"
#include "filter.h"
#include "flow.h"
#include "fragment.h"
#include "frames.h"
#include "hash.h"
#include "layouts.h"
#include "limits.h"
#include "ring.h"
#include "service.h"
#include "sweep.h"
#include "verdict.h"

#endif
