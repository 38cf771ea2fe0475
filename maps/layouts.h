/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_LAYOUTS_H
#define LB_MAPS_LAYOUTS_H

#include "backend.h"
#include "clock.h"
#include "config.h"
#include "filter.h"
#include "flow.h"
#include "fragment.h"
#include "ring.h"
#include "service.h"
#include "verdict.h"

/*
 * The maps that outlive lbd. Each has a layout number beside its struct, which is part of its pin's name
 * (<map>-v<layout>): raise it whenever key, value, type, a fixed number of entries, or the meaning of any of them
 * changes. README.md says what else to do then. Maps that are not listed here hold nothing that is worth keeping, and
 * are made anew each time.
 *
 * X(map, layout, what becomes of its content where lbd finds it in another layout)
 *   ENTRIES   each entry is converted, under the same key
 *   COUNTERS  likewise, the value of each CPU
 *   FLOWS     each flow is converted and put where its hash wants it
 *   PORTS     made anew from the flows that have the ports
 *   FILTER    opened for all that comes in and for known backends, until lbd knows what is needed
 *   LOCKS     nothing: none is held for long
 */
#define LB_MAPS(X)                                             \
	X(lb_services, LB_SERVICES_LAYOUT, ENTRIES)            \
	X(lb_addresses, LB_ADDRESSES_LAYOUT, ENTRIES)          \
	X(lb_service_names, LB_SERVICE_NAMES_LAYOUT, ENTRIES)  \
	X(lb_backends, LB_BACKENDS_LAYOUT, ENTRIES)            \
	X(lb_sources, LB_SOURCES_LAYOUT, ENTRIES)              \
	X(lb_backend_stats, LB_BACKEND_STATS_LAYOUT, COUNTERS) \
	X(lb_rings, LB_RINGS_LAYOUT, ENTRIES)                  \
	X(lb_members, LB_MEMBERS_LAYOUT, ENTRIES)              \
	X(lb_filter, LB_FILTER_LAYOUT, FILTER)                 \
	X(lb_flow4, LB_FLOW4_LAYOUT, FLOWS)                    \
	X(lb_flow6, LB_FLOW6_LAYOUT, FLOWS)                    \
	X(lb_flow_gates, LB_FLOW_GATES_LAYOUT, LOCKS)          \
	X(lb_snat_pools, LB_SNAT_POOLS_LAYOUT, PORTS)          \
	X(lb_fragments, LB_FRAGMENTS_LAYOUT, ENTRIES)          \
	X(lb_devices, LB_DEVICES_LAYOUT, ENTRIES)              \
	X(lb_clock, LB_CLOCK_LAYOUT, ENTRIES)                  \
	X(lb_constants, LB_CONSTANTS_LAYOUT, ENTRIES)          \
	X(lb_verdicts, LB_VERDICTS_LAYOUT, COUNTERS)

#endif
