// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

const kubeletsHelp = `usage: controlplane kubelets --lab FILE --plane DIR --server URL --peer PROGRAM --dir DIR [options]

Plays the scheduler and all kubelets of a lab. A pod without a node gets one of the network namespaces that the lab has for pods,
and there a server answers with the pod's name, whatever image it asks for. Pods that were given a node by others are left alone.
A line of JSON on standard output says when it has seen all pods. SIGTERM ends it, and its servers with it; the next one takes its
pods over.

`

// placeAnnotation says of a pod that it is one of ours, and where it is.
const placeAnnotation = "lab.fairlead.dev/place"

// kubelets belongs to one thread, the main one.
type kubelets struct {
	api           *apiClient
	peer          string
	drain         time.Duration
	places        []place
	pods          map[string]*pod      // all there are, by UID
	workloads     map[string]*workload // by the pod's UID
	unschedulable map[string]bool      // of whom that was told
	podNews       chan podNews
	serverNews    chan serverNews
	wake          time.Time // when something is to be done without any news
}

func readKubelets(arguments []string) (*kubelets, string, error) {
	k := &kubelets{
		pods: map[string]*pod{}, workloads: map[string]*workload{}, unschedulable: map[string]bool{},
		podNews: make(chan podNews), serverNews: make(chan serverNews),
	}
	options := flag.NewFlagSet("kubelets", flag.ExitOnError)
	options.Usage = func() {
		fmt.Fprint(os.Stderr, kubeletsHelp)
		options.PrintDefaults()
	}
	lab := options.String("lab", "", "`file` with what `scripts/lab env` prints")
	plane := options.String("plane", "", "`folder` of the control plane")
	server := options.String("server", "", "`URL` of the API server")
	dir := options.String("dir", "", "`folder` with this process's number, locked; made if missing")
	options.StringVar(&k.peer, "peer", "", "the `program` fairlead-peer")
	options.DurationVar(&k.drain, "drain", 2*time.Second, "how long at most a pod that is deleted goes on serving")
	options.Parse(arguments)
	if *lab == "" || *plane == "" || *server == "" || *dir == "" || k.peer == "" || options.NArg() > 0 {
		return nil, "", errors.New("needs --lab, --plane, --server, --peer and --dir, and nothing but options")
	}
	var err error
	if k.places, err = readPlaces(*lab); err != nil {
		return nil, "", err
	}
	k.api, err = newAPIClient(*server, *plane, "kubelets")
	return k, *dir, err
}

func runKubelets(arguments []string) error {
	k, dir, err := readKubelets(arguments)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	go followPods(ctx, k.api, k.podNews)
	k.loop(ctx)
	return nil // Its servers die with it.
}

func (k *kubelets) loop(ctx context.Context) {
	for seen := false; ; {
		var timer <-chan time.Time
		if !k.wake.IsZero() {
			timer = time.After(time.Until(k.wake))
		}
		select {
		case <-ctx.Done():
			return
		case news := <-k.podNews:
			k.notePods(news)
			if !seen {
				say(map[string]any{"ready": true, "places": len(k.places)})
			}
			seen = true
		case news := <-k.serverNews:
			k.noteServer(news)
		case <-timer:
		}
		k.wake = time.Time{}
		for _, w := range k.workloads {
			k.settle(w)
		}
		k.schedule()
	}
}

func (k *kubelets) notePods(news podNews) {
	if news.all {
		clear(k.pods)
	}
	for _, p := range news.pods {
		uid := p.Metadata.UID
		k.pods[uid] = p
		if news.gone {
			delete(k.pods, uid)
			delete(k.unschedulable, uid)
		}
		k.adopt(p)
	}
	for uid, w := range k.workloads {
		if p := k.pods[uid]; p != nil {
			w.pod = p
		} else {
			w.gone = true
		}
	}
}

// adopt takes over a pod that an earlier process of this kind gave a place.
func (k *kubelets) adopt(p *pod) {
	uid := p.Metadata.UID
	if k.workloads[uid] != nil || p.Spec.NodeName == "" || k.pods[uid] == nil {
		return
	}
	for _, at := range k.places {
		if at.name == p.Metadata.Annotations[placeAnnotation] {
			k.workloads[uid] = &workload{pod: p, at: at}
		}
	}
}

func (k *kubelets) schedule() {
	var pending []*pod
	for uid, p := range k.pods {
		if p.waitsForPlace() && k.workloads[uid] == nil {
			pending = append(pending, p)
		}
	}
	slices.SortFunc(pending, (*pod).isOlderThan)
	for _, p := range pending {
		if at := choosePlace(k.places, k.taken()); at != nil {
			k.bind(p, *at)
		} else {
			k.tellUnschedulable(p)
		}
	}
}

// taken are the places of our pods, and those whose addresses others gave to a pod.
func (k *kubelets) taken() map[string]bool {
	taken := map[string]bool{}
	for _, w := range k.workloads {
		taken[w.at.name] = true
	}
	for _, p := range k.pods {
		for _, at := range k.places {
			if slices.Contains(at.addresses, p.Status.PodIP) {
				taken[at.name] = true
			}
		}
	}
	return taken
}

// bind also marks the pod as ours, in one step: the API server copies annotations of a Binding to the pod.
func (k *kubelets) bind(p *pod, at place) {
	err := k.api.post(p.path()+"/binding", map[string]any{
		"apiVersion": "v1", "kind": "Binding",
		"metadata": map[string]any{
			"name": p.Metadata.Name, "namespace": p.Metadata.Namespace, "uid": p.Metadata.UID,
			"annotations": map[string]string{placeAnnotation: at.name},
		},
		"target": map[string]any{"kind": "Node", "name": at.node.name},
	})
	if err != nil {
		k.retry(err)
		return
	}
	k.workloads[p.Metadata.UID] = &workload{pod: p, at: at}
	k.event(p, at.node.name, "Scheduled", "It gets the place "+at.name)
	k.wakeAt(time.Now())
}

func (k *kubelets) tellUnschedulable(p *pod) {
	if k.unschedulable[p.Metadata.UID] {
		return
	}
	why := fmt.Sprintf("all %d places for pods of this lab are taken (scripts/lab up --pods)", len(k.places))
	told := condition("PodScheduled", false, time.Now().UTC().Format(time.RFC3339))
	told["reason"], told["message"] = "Unschedulable", why
	if k.done(k.api.patchStatus(p, map[string]any{"conditions": []any{told}})) {
		k.unschedulable[p.Metadata.UID] = true
		k.event(p, "", "FailedScheduling", why)
	}
}

// event is for `kubectl get events`; one that cannot be written is lost.
func (k *kubelets) event(p *pod, node, reason, message string) {
	kind, now := "Normal", time.Now().UTC().Format(time.RFC3339)
	if reason == "FailedScheduling" {
		kind = "Warning"
	}
	body := map[string]any{
		"apiVersion": "v1", "kind": "Event", "type": kind, "reason": reason, "message": message, "count": 1,
		"metadata":       map[string]any{"generateName": p.Metadata.Name + "."},
		"firstTimestamp": now, "lastTimestamp": now, "source": map[string]any{"component": "kubelets", "host": node},
		"involvedObject": map[string]any{
			"apiVersion": "v1", "kind": "Pod", "namespace": p.Metadata.Namespace, "name": p.Metadata.Name, "uid": p.Metadata.UID,
		},
	}
	go k.api.post("/api/v1/namespaces/"+p.Metadata.Namespace+"/events", body)
}
