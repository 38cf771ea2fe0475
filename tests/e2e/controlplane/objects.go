// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
)

type object = map[string]any

// population is a cluster's worth of objects, the same for the same numbers. Services have no selector, so that no controller
// touches their slices; every tenth is a NodePort one as far as the range goes, and every tenth dual stack.
type population struct {
	namespace                  string
	services, endpoints, nodes int
}

const mostNodePorts = 2000

// creation is a request that makes an object.
type creation struct {
	path string
	body object
}

func (w population) name(service int) string { return fmt.Sprintf("service-%05d", service) }

func isDualStack(service int) bool { return service%10 == 5 }

func (w population) isNodePort(service int) bool {
	return service%10 == 0 && service/10 < mostNodePorts
}

func (w population) nodeObjects() []creation {
	var made []creation
	for i := 1; i <= w.nodes; i++ {
		name := fmt.Sprintf("node%d", i)
		made = append(made, creation{"/api/v1/nodes", object{
			"apiVersion": "v1", "kind": "Node",
			"metadata": object{"name": name, "labels": object{"topology.kubernetes.io/zone": zone(i), "kubernetes.io/hostname": name}},
		}})
	}
	return made
}

func zone(node int) string { return fmt.Sprintf("zone-%d", node%3) }

func (w population) service(i int) creation {
	spec := object{"type": "ClusterIP", "ports": []object{{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}}}
	if w.isNodePort(i) {
		spec["type"] = "NodePort"
	}
	if isDualStack(i) {
		spec["ipFamilyPolicy"] = "RequireDualStack"
	}
	return creation{"/api/v1/namespaces/" + w.namespace + "/services", object{
		"apiVersion": "v1", "kind": "Service", "metadata": object{"name": w.name(i)}, "spec": spec,
	}}
}

// slices are those of a service: NAME-ipv4, and NAME-ipv6 if it has both.
func (w population) slices(i int) []creation {
	made := []creation{w.slice(i, "IPv4", endpointIP4)}
	if isDualStack(i) {
		made = append(made, w.slice(i, "IPv6", endpointIP6))
	}
	return made
}

func (w population) slice(service int, family string, address func(int) net.IP) creation {
	var endpoints []object
	for i := range w.endpoints {
		endpoints = append(endpoints, w.endpoint(service*w.endpoints+i, address))
	}
	suffix := map[string]string{"IPv4": "-ipv4", "IPv6": "-ipv6"}[family]
	return creation{"/apis/discovery.k8s.io/v1/namespaces/" + w.namespace + "/endpointslices", object{
		"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": family,
		"metadata": object{"name": w.name(service) + suffix, "labels": object{
			"kubernetes.io/service-name": w.name(service), "endpointslice.kubernetes.io/managed-by": "controlplane-load",
		}},
		"ports":     []object{{"name": "http", "port": 8080, "protocol": "TCP"}},
		"endpoints": endpoints,
	}}
}

func (w population) endpoint(number int, address func(int) net.IP) object {
	node := 1 + number%w.nodes
	return object{
		"addresses":  []string{address(number).String()},
		"conditions": object{"ready": true, "serving": true, "terminating": false},
		"nodeName":   fmt.Sprintf("node%d", node),
		"zone":       zone(node),
		"targetRef": object{
			"kind": "Pod", "namespace": w.namespace, "name": fmt.Sprintf("pod-%06d", number),
			"uid": fmt.Sprintf("00000000-0000-4000-8000-%012d", number),
		},
	}
}

// Room for 2 million each, clear of ClusterIPs and of what the lab uses.
func endpointIP4(number int) net.IP {
	return net.IPv4(10, byte(64+number>>16), byte(number>>8), byte(number))
}

func endpointIP6(number int) net.IP {
	address := net.ParseIP("fd00:64::")
	address[13], address[14], address[15] = byte(number>>16), byte(number>>8), byte(number)
	return address
}
