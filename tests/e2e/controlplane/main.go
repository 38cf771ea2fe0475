// SPDX-License-Identifier: Apache-2.0

// Controlplane runs etcd, kube-apiserver and kube-controller-manager for tests, and makes trouble between them and their
// clients. Only what it starts and the folder that it is given belong to it; all of that ends with it.
package main

import (
	"fmt"
	"os"
	"runtime"
)

const usage = `usage: controlplane COMMAND [options]     (controlplane COMMAND --help says which)

  run          starts a control plane and obeys lines on standard input until that ends
  kubelets     runs servers in a lab as the pods of one that runs
  kubeconfig   prints a kubeconfig for a user of one that runs
  faultproxy   stands between clients and the API server of one that runs
  load         fills one that runs with thousands of Services
`

// A child dies with the thread that started it (Pdeathsig), so that is the one thread which lives as long as the process:
// the main one, for which main is held here.
func init() { runtime.LockOSThread() }

func main() {
	commands := map[string]func([]string) error{
		"run": run, "kubelets": runKubelets, "kubeconfig": printKubeconfig, "faultproxy": faultProxy, "load": load,
	}
	name := ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	command, known := commands[name]
	if !known {
		help := name == "help" || name == "--help" || name == "-h"
		fmt.Fprint(os.Stderr, usage)
		if !help {
			os.Exit(2)
		}
		return
	}
	if err := command(os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "controlplane %s: %v\n", name, err)
		os.Exit(1)
	}
}
