// SPDX-License-Identifier: Apache-2.0

// Control measures how fast a service proxy follows an API server: see scripts/bench control, which sets the stage. It runs in
// the network namespace of the proxy's node, and starts and ends the proxy itself.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

const usageText = `usage: control lbd|kube-proxy --server URL --ca FILE [options] -- COMMAND...

Runs COMMAND, which is that program with its options, against an API server that "controlplane load" has filled; measures
until it has programmed everything, then changes one endpoint at a time and measures until that is programmed. Prints JSON.

  lbd         is then started once more, with its maps in place. A change is seen in the answers of its control socket, which
              come after the writes of the maps; pace and length of the questions say how exactly
  kube-proxy  in nftables mode. A change is seen in the kernel's notification of the ruleset's commit

`

type settings struct {
	server, ca, token, namespace, log, socket, metrics string
	services, changes                                  int
	pace, limit                                        time.Duration
	command                                            []string
}

func readSettings(name string, arguments []string) (settings, error) {
	var s settings
	options := flag.NewFlagSet(name, flag.ExitOnError)
	options.Usage = func() {
		fmt.Fprint(os.Stderr, usageText)
		options.PrintDefaults()
	}
	options.StringVar(&s.server, "server", "", "`URL` of the API server")
	options.StringVar(&s.ca, "ca", "", "`file` with its certificate authority")
	options.StringVar(&s.token, "token", "admin-token", "of somebody who may write EndpointSlices")
	options.StringVar(&s.namespace, "namespace", "load", "where the Services are")
	options.IntVar(&s.services, "services", 0, "how many there are")
	options.IntVar(&s.changes, "changes", 200, "how many endpoints to change")
	options.DurationVar(&s.pace, "pace", 50*time.Millisecond, "`pause` between a change that was seen and the next")
	options.DurationVar(&s.limit, "limit", 10*time.Minute, "the longest `time` that everything, or one change, may take")
	options.StringVar(&s.log, "log", "", "`file` for what the program says")
	options.StringVar(&s.socket, "socket", "", "lbd's control socket")
	options.StringVar(&s.metrics, "metrics", "http://127.0.0.1:10249/metrics", "`URL` of the program's metrics")
	options.Parse(arguments)
	s.command = options.Args()
	if s.server == "" || s.ca == "" || s.services < 1 || len(s.command) == 0 {
		return s, errors.New("needs --server, --ca, --services and a command")
	}
	if s.changes < 1 || s.changes > mostChanges {
		return s, fmt.Errorf("--changes: 1 to %d", mostChanges)
	}
	return s, nil
}

func main() {
	programs := map[string]func(settings) (any, error){"lbd": measureLbd, "kube-proxy": measureKubeProxy}
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		fmt.Fprint(os.Stderr, usageText)
		os.Exit(2)
	}
	settings, err := readSettings(os.Args[1], os.Args[2:])
	if err == nil {
		var figures any
		if figures, err = programs[os.Args[1]](settings); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(figures)
		}
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "control %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}
