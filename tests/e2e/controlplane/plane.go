// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
)

// plane is a control plane in its folder: what to run, and with which keys.
type plane struct {
	settings
	etcdPort, peerPort int
	ca                 *authority
	admin              identity

	etcd, apiserver, controllers *component
}

// These are what turns Services and Pods into EndpointSlices and Deployments into Pods, keeps house behind them, and fills the roles
// view, edit and admin; none of them needs a kubelet.
const controllers = "deployment-controller,replicaset-controller,endpointslice-controller,endpointslice-mirroring-controller,serviceaccount-controller," +
	"serviceaccount-token-controller,namespace-controller,garbage-collector-controller,service-cidr-controller," +
	"clusterrole-aggregation-controller"

func newPlane(settings settings) (*plane, error) {
	p := &plane{settings: settings}
	// Of an earlier run in the same folder: its keys are gone.
	if err := os.RemoveAll(p.file("etcd")); err != nil {
		return nil, err
	}
	if err := p.choosePorts(); err != nil {
		return nil, err
	}
	if err := p.writeFiles(); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		component **component
		name      string
		flags     []string
	}{
		{&p.etcd, "etcd", p.etcdFlags()},
		{&p.apiserver, "kube-apiserver", p.apiserverFlags()},
		{&p.controllers, "kube-controller-manager", p.controllerFlags()},
	} {
		path, err := p.find(part.name)
		if err != nil {
			return nil, err
		}
		*part.component = &component{name: part.name, command: append([]string{path}, part.flags...), dir: p.dir}
	}
	return p, nil
}

func (p *plane) components() []*component { return []*component{p.etcd, p.apiserver, p.controllers} }

// choosePorts takes free ports below those that the kernel gives to outgoing connections: while an API server is stopped, its port
// must stay free.
func (p *plane) choosePorts() error {
	for _, port := range []*int{&p.port, &p.etcdPort, &p.peerPort} {
		for tries := 0; *port == 0; tries++ {
			// All are held until the last is found, so that no two are the same.
			listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(10000)))
			if err == nil {
				defer listener.Close()
				*port = listener.Addr().(*net.TCPAddr).Port
			} else if tries == 100 {
				return err
			}
		}
	}
	return nil
}

// find looks for a program in the folder of this version, in those beside it, and on PATH.
func (p *plane) find(program string) (string, error) {
	candidates, _ := filepath.Glob(filepath.Join(p.bin, "..", "*", program))
	sort.Sort(sort.Reverse(sort.StringSlice(candidates)))
	for _, path := range append([]string{filepath.Join(p.bin, program)}, candidates...) {
		if found, err := exec.LookPath(path); err == nil {
			return filepath.Abs(found)
		}
	}
	return exec.LookPath(program)
}

func (p *plane) file(name string) string { return filepath.Join(p.dir, name) }

func (p *plane) writeFiles() error {
	var err error
	if p.ca, err = newAuthority(p.dir); err != nil {
		return err
	}
	addresses := append([]net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, p.addresses...)
	names := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	server, err := p.ca.server(names, addresses)
	if err != nil {
		return err
	}
	if err := server.write(p.dir, "server"); err != nil {
		return err
	}
	if _, key, err := newKey(); err != nil {
		return err
	} else if err := os.WriteFile(p.file("service-account.key"), key, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(p.file("tokens.csv"), []byte("admin-token,admin,admin,system:masters\n"), 0o600); err != nil {
		return err
	}
	if p.admin, err = p.ca.client("admin", []string{"system:masters"}); err != nil {
		return err
	}
	config := kubeconfig{server: p.localURL(), ca: p.ca.files.certificate, client: p.admin}
	return os.WriteFile(p.file("admin.kubeconfig"), []byte(config.String()), 0o600)
}

func (p *plane) localURL() string { return fmt.Sprintf("https://127.0.0.1:%d", p.port) }
func (p *plane) etcdURL() string  { return fmt.Sprintf("http://127.0.0.1:%d", p.etcdPort) }

// serverURL is for clients in the namespace, and those that reach it.
func (p *plane) serverURL() string {
	return "https://" + net.JoinHostPort(p.addresses[0].String(), strconv.Itoa(p.port))
}

func (p *plane) etcdFlags() []string {
	peers := fmt.Sprintf("http://127.0.0.1:%d", p.peerPort)
	return []string{
		"--name=test", "--data-dir=" + p.file("etcd"), "--logger=zap",
		"--listen-client-urls=" + p.etcdURL(), "--advertise-client-urls=" + p.etcdURL(),
		"--listen-peer-urls=" + peers, "--initial-advertise-peer-urls=" + peers, "--initial-cluster=test=" + peers,
	}
}

func (p *plane) apiserverFlags() []string {
	key := p.file("service-account.key")
	return append([]string{
		"--etcd-servers=" + p.etcdURL(), "--bind-address=127.0.0.1", "--secure-port=" + strconv.Itoa(p.port),
		"--advertise-address=" + p.addresses[0].String(), "--service-cluster-ip-range=" + p.serviceCIDR,
		"--cert-dir=" + p.dir, "--client-ca-file=" + p.file("ca.crt"), "--tls-cert-file=" + p.file("server.crt"),
		"--tls-private-key-file=" + p.file("server.key"), "--token-auth-file=" + p.file("tokens.csv"),
		"--service-account-key-file=" + key, "--service-account-signing-key-file=" + key,
		"--service-account-issuer=https://kubernetes.default.svc", "--authorization-mode=RBAC",
		// Tests make pods without accounts, and nodes that no controller would untaint.
		"--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
	}, p.apiserverExtra...)
}

func (p *plane) controllerFlags() []string {
	return []string{
		"--kubeconfig=" + p.file("admin.kubeconfig"), "--controllers=" + controllers, "--leader-elect=false", "--secure-port=0",
		"--service-account-private-key-file=" + p.file("service-account.key"), "--root-ca-file=" + p.file("ca.crt"),
		// Thousands of Services are loaded by tests; the default is 20 requests a second.
		"--kube-api-qps=2000", "--kube-api-burst=4000", "--concurrent-service-endpoint-syncs=20",
		"--mirroring-concurrent-service-endpoint-syncs=20",
	}
}
