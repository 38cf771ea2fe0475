// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"syscall"
	"time"
)

// workload is a pod that was given a place, until it is gone from the API server and its server has ended.
type workload struct {
	pod      *pod // as last seen
	at       place
	gone     bool // the pod
	server   *server
	ready    bool
	since    time.Time // of `ready`
	restarts int
	startAt  time.Time // not earlier
	endAt    time.Time // when it was drained
	told     string    // what the API server was told last
}

func (w *workload) state() string {
	if !w.ready && w.restarts == 0 {
		return "" // As the API server made it.
	}
	return fmt.Sprint(w.ready, w.restarts)
}

// settle does what is to be done for it now, and asks to be called again when there is more to do later.
func (k *kubelets) settle(w *workload) {
	switch {
	case w.gone && w.server != nil:
		w.server.signal(syscall.SIGKILL)
	case w.gone:
		delete(k.workloads, w.pod.Metadata.UID)
	case w.pod.Metadata.DeletionTimestamp != nil:
		k.end(w)
	default:
		k.serve(w)
	}
}

func (k *kubelets) serve(w *workload) {
	if w.server == nil && k.isTime(w.startAt) {
		command := append([]string{k.peer, "serve", "--name", w.pod.Metadata.Name}, w.pod.listenFlags()...)
		server, err := startServer(w.at, command, k.serverNews)
		if err != nil {
			w.startAt = time.Now().Add(time.Second)
			k.retry(fmt.Errorf("start a server in %s: %w", w.at.name, err))
			return
		}
		w.server = server
	}
	if state := w.state(); state != w.told {
		status := w.pod.runningStatus(w.at, w.ready, w.since, w.restarts)
		if k.done(k.api.patchStatus(w.pod, status)) {
			w.told = state
		}
	}
}

// end lets it serve for a while, because load balancers learn of its end as late as it does. The API server forgets it when its
// server has ended.
func (k *kubelets) end(w *workload) {
	switch {
	case w.server == nil:
		options := map[string]any{"gracePeriodSeconds": 0, "preconditions": map[string]any{"uid": w.pod.Metadata.UID}}
		w.gone = k.done(k.api.call(http.MethodDelete, w.pod.path(), "application/json", options, nil), http.StatusConflict)
		k.wakeAt(time.Now())
	case w.endAt.IsZero():
		grace := time.Duration(w.pod.Metadata.DeletionGracePeriodSeconds) * time.Second
		w.endAt = time.Now().Add(min(grace, k.drain))
		k.wakeAt(w.endAt)
		k.event(w.pod, w.at.node.name, "Killing", "The server in "+w.at.name+" drains, and then ends")
	case k.isTime(w.endAt):
		w.server.signal(syscall.SIGTERM)
	}
}

func (k *kubelets) noteServer(news serverNews) {
	for _, w := range k.workloads {
		if w.server != news.server {
			continue
		}
		w.ready, w.since = !news.ended, time.Now()
		if !news.ended {
			k.event(w.pod, w.at.node.name, "Started", "A server answers for it in "+w.at.name)
			return
		}
		w.server = nil
		w.restarts++
		w.startAt = time.Now().Add(time.Second)
		return
	}
}

// done says whether nothing is left to do: also when the object is not there any more, or the answer is one of those.
func (k *kubelets) done(err error, fine ...int) bool {
	var answer *apiError
	if errors.As(err, &answer) && slices.Contains(append(fine, http.StatusNotFound), answer.status) {
		return true
	}
	if err != nil {
		k.retry(err)
	}
	return err == nil
}

func (k *kubelets) retry(err error) {
	fmt.Fprintln(os.Stderr, "kubelets:", err)
	k.wakeAt(time.Now().Add(time.Second))
}

func (k *kubelets) wakeAt(when time.Time) {
	if k.wake.IsZero() || when.Before(k.wake) {
		k.wake = when
	}
}

// isTime asks to be called again if it is not.
func (k *kubelets) isTime(when time.Time) bool {
	if time.Now().Before(when) {
		k.wakeAt(when)
		return false
	}
	return true
}
