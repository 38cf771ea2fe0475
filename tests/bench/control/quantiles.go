// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"slices"
	"time"
)

type quantiles struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// quantilesOf takes the nearest rank: with fewer than a hundred samples, p99 is the largest.
func quantilesOf(samples []time.Duration) quantiles {
	slices.Sort(samples)
	at := func(share float64) float64 {
		return milliseconds(samples[max(0, int(math.Ceil(share*float64(len(samples))))-1)])
	}
	return quantiles{at(0.5), at(0.9), at(0.99), at(1)}
}
