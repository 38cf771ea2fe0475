// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
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
	client, err := clientOf(dir, connections)
	if err != nil {
		return err
	}
	return loader{client, server, connections}.load(w)
}

// clientOf is an administrator of the control plane in that folder.
func clientOf(dir string, connections int) (*http.Client, error) {
	ca, err := loadAuthority(dir)
	if err != nil {
		return nil, err
	}
	admin, err := ca.client("load", []string{"system:masters"})
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(admin.certificate, admin.key)
	if err != nil {
		return nil, err
	}
	config := ca.trust()
	config.Certificates = []tls.Certificate{pair}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, MaxIdleConnsPerHost: connections}, Timeout: patience}, nil
}

type loader struct {
	client      *http.Client
	server      string
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
	body, err := json.Marshal(made.body)
	if err != nil {
		return err
	}
	response, err := l.client.Post(l.server+made.path, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode == http.StatusCreated || response.StatusCode == http.StatusConflict {
		return err
	}
	return fmt.Errorf("POST %s: %s: %.300s", made.path, response.Status, answer)
}
