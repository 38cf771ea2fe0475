// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

type settings struct {
	bin, dir, netns, serviceCIDR string
	addresses                    []net.IP
	port                         int
	apiserverExtra               []string
}

const runHelp = `usage: controlplane run --bin DIR --dir DIR --netns NAME --address IPv4[,IPv6] [options]

Starts a control plane on this machine's loopback addresses, which also answers at the given addresses inside the network
namespace. A line of JSON on standard output says when it is ready, and where. It ends with standard input, and then removes
nothing but its processes. Lines on standard input are obeyed and each answered by a line of JSON:

  stop apiserver | kill apiserver | start apiserver      by SIGTERM (two seconds at most); by SIGKILL; until ready again
  pause apiserver | resume apiserver                     connections are accepted, but nothing is answered
  compact                                                etcd forgets all revisions but the last

A watch from a forgotten revision only fails once the API server was started anew: until then it remembers.

`

func readSettings(arguments []string) (settings, error) {
	var s settings
	var addresses string
	options := flag.NewFlagSet("run", flag.ExitOnError)
	options.Usage = func() {
		fmt.Fprint(os.Stderr, runHelp)
		options.PrintDefaults()
	}
	options.StringVar(&s.bin, "bin", "", "`folder` with the programs of one version")
	options.StringVar(&s.dir, "dir", "", "`folder` for keys, data and logs; made if missing")
	options.StringVar(&s.netns, "netns", "", "`name` of the namespace; none: this one")
	options.StringVar(&addresses, "address", "", "`addresses` to listen at there, the first is advertised")
	options.IntVar(&s.port, "port", 0, "of the API server, here and there (default a free one)")
	options.StringVar(&s.serviceCIDR, "service-cidr", "10.96.0.0/16,fd00:96::/108", "`networks` of ClusterIPs")
	options.Func("apiserver-flag", "more `flag` for kube-apiserver, may be repeated", func(text string) error {
		s.apiserverExtra = append(s.apiserverExtra, text)
		return nil
	})
	options.Parse(arguments)
	for _, text := range strings.Split(addresses, ",") {
		address := net.ParseIP(text)
		if address == nil {
			return s, fmt.Errorf("--address: %q is not an address", text)
		}
		s.addresses = append(s.addresses, address)
	}
	if s.bin == "" || s.dir == "" || options.NArg() > 0 {
		return s, errors.New("needs --bin and --dir, and nothing but options")
	}
	var err error
	s.dir, err = filepath.Abs(s.dir)
	return s, errors.Join(err, os.MkdirAll(s.dir, 0o700))
}

func run(arguments []string) error {
	settings, err := readSettings(arguments)
	if err != nil {
		return err
	}
	// Taken before anything is written: two in one folder would be the end of both.
	lock, err := lockFolder(settings.dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	p, err := newPlane(settings)
	if err != nil {
		return err
	}
	ctx, lines, cancel := untilTold(os.Stdin)
	defer cancel()
	defer p.stopAll()
	if err := p.startAll(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	say(p.description())
	return p.serve(ctx, lines)
}

func lockFolder(dir string) (*os.File, error) {
	path := filepath.Join(dir, "pid")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("%s: another one runs there: %w", path, err)
	}
	file.Truncate(0)
	_, err = fmt.Fprintln(file, os.Getpid())
	return file, err
}

// untilTold hands over what is read. The context ends after the last of it, and with a signal; until the function is called, which
// is the last thing to do, further signals change nothing.
func untilTold(file *os.File) (context.Context, <-chan string, func()) {
	signalled, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	ctx, end := context.WithCancel(signalled)
	lines := make(chan string)
	go func() {
		defer end()
		for scanner := bufio.NewScanner(file); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	return ctx, lines, stop
}

func say(value any) { json.NewEncoder(os.Stdout).Encode(value) }

// answer is the reply to a line of standard input; `more` is put beside it.
func answer(line string, err error, more map[string]any) {
	reply := map[string]any{"command": line, "ok": err == nil}
	if err != nil {
		reply["error"] = err.Error()
	}
	for name, value := range more {
		reply[name] = value
	}
	say(reply)
}

func (p *plane) description() map[string]any {
	pids := map[string]int{}
	for _, c := range p.components() {
		pids[c.name] = c.pid()
	}
	kubectl, _ := p.find("kubectl")
	return map[string]any{
		"ready": true, "server": p.serverURL(), "local": p.localURL(), "port": p.port, "addresses": p.addresses,
		"etcd": p.etcdURL(), "kubeconfig": p.file("admin.kubeconfig"), "kubectl": kubectl, "dir": p.dir, "pids": pids,
	}
}

func (p *plane) listen() error {
	for _, address := range p.addresses {
		if p.netns == "" && address.Equal(net.IPv4(127, 0, 0, 1)) {
			continue // The API server itself.
		}
		listener, err := listenIn(p.netns, net.JoinHostPort(address.String(), strconv.Itoa(p.port)))
		if err != nil {
			return err
		}
		go forward(listener, fmt.Sprintf("127.0.0.1:%d", p.port))
	}
	return nil
}

func (p *plane) startAll(ctx context.Context) error {
	if err := p.listen(); err != nil {
		return err
	}
	if err := p.etcd.start(); err != nil {
		return err
	}
	if err := p.startAPIServer(ctx); err != nil {
		return err
	}
	if err := p.controllers.start(); err != nil {
		return err
	}
	return p.waitFor(ctx, p.controllers, "/api/v1/namespaces/default/serviceaccounts/default")
}

// stopAll ends them in the order in which they depend on each other.
func (p *plane) stopAll() {
	for _, c := range []*component{p.controllers, p.apiserver, p.etcd} {
		if c.running() {
			c.stop(syscall.SIGKILL)
		}
	}
}

func (p *plane) serve(ctx context.Context, lines <-chan string) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case line := <-lines:
			answer(line, p.obey(ctx, line), nil)
		case <-p.etcd.ended:
			return fmt.Errorf("etcd ended: %s", p.etcd.tail())
		case <-p.controllers.ended:
			return fmt.Errorf("kube-controller-manager ended: %s", p.controllers.tail())
		}
	}
}

func (p *plane) obey(ctx context.Context, line string) error {
	switch line {
	case "stop apiserver":
		return p.apiserver.stop(syscall.SIGTERM)
	case "kill apiserver":
		return p.apiserver.stop(syscall.SIGKILL)
	case "start apiserver":
		return p.startAPIServer(ctx)
	case "pause apiserver":
		return p.apiserver.signal(syscall.SIGSTOP)
	case "resume apiserver":
		return p.apiserver.signal(syscall.SIGCONT)
	case "compact":
		return p.compact(ctx)
	}
	return errors.New("no such command")
}
