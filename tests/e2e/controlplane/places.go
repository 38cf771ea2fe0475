// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

type labNode struct {
	name      string
	addresses []string // IPv4, IPv6
}

// place is where a pod can be: a network namespace that the lab keeps for one.
type place struct {
	name, netns, cgroup string
	node                *labNode
	addresses           []string // IPv4, IPv6
}

// readPlaces takes them from the KEY=VALUE lines of `scripts/lab env`.
func readPlaces(path string) ([]place, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	env := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		key, value, _ := strings.Cut(line, "=")
		env[key] = value
	}
	nodes, _ := strconv.Atoi(env["NODES"])
	pods, _ := strconv.Atoi(env["PODS"])
	var places []place
	for n := 1; n <= nodes; n++ {
		key := fmt.Sprintf("NODE%d", n)
		node := &labNode{fmt.Sprintf("node%d", n), []string{env[key+"_IP4"], env[key+"_IP6"]}}
		for p := 1; p <= pods; p++ {
			key := fmt.Sprintf("%s_POD%d", key, p)
			places = append(places, place{
				name: fmt.Sprintf("%s-pod%d", node.name, p), netns: env[key+"_NS"], cgroup: env[key+"_CGROUP"], node: node,
				addresses: []string{env[key+"_IP4"], env[key+"_IP6"]},
			})
		}
	}
	if len(places) == 0 {
		return nil, fmt.Errorf("%s: no pods of a lab in it", path)
	}
	return places, nil
}

// choosePlace takes a free one on the node that has the fewest that are not; nil if there is none.
func choosePlace(places []place, taken map[string]bool) *place {
	load := map[*labNode]int{}
	for _, at := range places {
		if taken[at.name] {
			load[at.node]++
		}
	}
	var best *place
	for i := range places {
		at := &places[i]
		if !taken[at.name] && (best == nil || load[at.node] < load[best.node]) {
			best = at
		}
	}
	return best
}
