// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"
)

const loadHelp = `usage: controlplane load --dir DIR --server URL [options]

Fills a control plane with a namespace of Services, an EndpointSlice for each and family, and the Nodes of their endpoints.
Prints a line of JSON with what it made and how long that took.

`

func load(arguments []string) error {
	var dir, server string
	var connections int
	var w population
	options := flag.NewFlagSet("load", flag.ExitOnError)
	options.Usage = func() {
		fmt.Fprint(os.Stderr, loadHelp)
		options.PrintDefaults()
	}
	options.StringVar(&dir, "dir", "", "`folder` of the control plane")
	options.StringVar(&server, "server", "", "`URL` of the API server")
	options.StringVar(&w.namespace, "namespace", "load", "`name` of the namespace, which is made")
	options.IntVar(&w.services, "services", 1000, "how many")
	options.IntVar(&w.endpoints, "endpoints", 10, "of each Service and family, at most 1000")
	options.IntVar(&w.nodes, "nodes", 100, "that endpoints are on: node1 ...")
	options.IntVar(&connections, "connections", 8, "to the API server")
	options.Parse(arguments)
	if dir == "" || server == "" || options.NArg() > 0 {
		return errors.New("needs --dir and --server, and nothing but options")
	}
	if w.services < 1 || w.endpoints < 1 || w.endpoints > 1000 || w.nodes < 1 || connections < 1 || w.services*w.endpoints >= 1<<21 {
		return errors.New("--services, --endpoints, --nodes or --connections is out of range")
	}
	api, err := newAPIClient(server, dir, "load")
	if err != nil {
		return err
	}
	// Otherwise all but two would be closed after each request.
	api.http.Transport.(*http.Transport).MaxIdleConnsPerHost = connections
	return loader{api, connections}.load(w)
}

type loader struct {
	api         *apiClient
	connections int
}

func (l loader) load(w population) error {
	begin := time.Now()
	first := append(w.nodeObjects(), creation{"/api/v1/namespaces", object{
		"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": w.namespace},
	}})
	if err := l.inParallel(len(first), func(i int) error { return l.create(first[i]) }); err != nil {
		return err
	}
	err := l.inParallel(w.services, func(i int) error {
		for _, made := range append([]creation{w.service(i)}, w.slices(i)...) {
			if err := l.create(made); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	say(object{"services": w.services, "endpoints": w.endpoints, "nodes": w.nodes, "namespace": w.namespace,
		"seconds": time.Since(begin).Seconds()})
	return nil
}

// inParallel does a number of things over all connections, until one of them fails.
func (l loader) inParallel(count int, do func(int) error) error {
	numbers := make(chan int, count)
	for i := range count {
		numbers <- i
	}
	close(numbers)
	failures := make(chan error, l.connections)
	var workers sync.WaitGroup
	for range l.connections {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := range numbers {
				if len(failures) > 0 {
					return
				}
				if err := do(i); err != nil {
					failures <- err
					return
				}
			}
		}()
	}
	workers.Wait()
	close(failures)
	return <-failures
}

// What is there already stays as it is.
func (l loader) create(made creation) error {
	err := l.api.post(made.path, made.body)
	var refused *apiError
	if errors.As(err, &refused) && refused.status == http.StatusConflict {
		return nil
	}
	return err
}
