// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// pod is what a kubelet of a lab needs to know of one.
type pod struct {
	Metadata struct {
		Name, Namespace, UID       string
		Annotations                map[string]string
		CreationTimestamp          time.Time
		DeletionTimestamp          *time.Time
		DeletionGracePeriodSeconds int
	}
	Spec struct {
		NodeName        string
		Containers      []container
		SchedulingGates []any
	}
	Status struct {
		PodIP string
	}
}

type container struct {
	Name, Image string
	Ports       []struct {
		ContainerPort int
		Protocol      string
	}
}

func (p *pod) path() string {
	return "/api/v1/namespaces/" + p.Metadata.Namespace + "/pods/" + p.Metadata.Name
}

func (p *pod) waitsForPlace() bool {
	return p.Spec.NodeName == "" && p.Metadata.DeletionTimestamp == nil && len(p.Spec.SchedulingGates) == 0
}

func (p *pod) isOlderThan(other *pod) int {
	return cmp.Or(p.Metadata.CreationTimestamp.Compare(other.Metadata.CreationTimestamp), strings.Compare(p.path(), other.path()))
}

// listenFlags are those of `fairlead-peer serve` for the ports of all containers; without any, for 8080.
func (p *pod) listenFlags() []string {
	var flags []string
	for _, container := range p.Spec.Containers {
		for _, port := range container.Ports {
			switch port.Protocol {
			case "UDP":
				flags = append(flags, "--udp", strconv.Itoa(port.ContainerPort))
			case "TCP":
				flags = append(flags, "--tcp", strconv.Itoa(port.ContainerPort))
			}
		}
	}
	if flags == nil {
		flags = []string{"--tcp", "8080", "--udp", "8080"}
	}
	return flags
}

// runningStatus is what a kubelet says of a pod that was started at that place, and is ready or not since that time.
func (p *pod) runningStatus(at place, ready bool, since time.Time, restarts int) map[string]any {
	stamp := since.UTC().Format(time.RFC3339)
	conditions := []any{condition("Initialized", true, stamp)}
	for _, name := range []string{"ContainersReady", "Ready"} {
		conditions = append(conditions, condition(name, ready, stamp))
	}
	state := map[string]any{"running": map[string]any{"startedAt": stamp}}
	if !ready {
		state = map[string]any{"waiting": map[string]any{"reason": "ServerEnded", "message": "it is started again in a second"}}
	}
	var containers []any
	for _, container := range p.Spec.Containers {
		containers = append(containers, map[string]any{
			"name": container.Name, "image": container.Image, "imageID": "fairlead-peer", "ready": ready, "started": ready,
			"restartCount": restarts, "state": state,
		})
	}
	return map[string]any{
		"phase": "Running", "startTime": stamp, "conditions": conditions, "containerStatuses": containers,
		"podIP": at.addresses[0], "podIPs": addressList(at.addresses), "hostIP": at.node.addresses[0], "hostIPs": addressList(at.node.addresses),
	}
}

func condition(name string, is bool, since string) map[string]any {
	status := map[bool]string{true: "True", false: "False"}[is]
	return map[string]any{"type": name, "status": status, "lastTransitionTime": since}
}

func addressList(addresses []string) []any {
	var list []any
	for _, address := range addresses {
		list = append(list, map[string]any{"ip": address})
	}
	return list
}
