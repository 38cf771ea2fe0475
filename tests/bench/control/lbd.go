// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

const syncDuration = "kubeproxy_sync_proxy_rules_duration_seconds"

// A question takes lbd some hundred microseconds, during which it does nothing else.
const askEvery = 500 * time.Microsecond

type lbdFigures struct {
	Cold    lbdStart   `json:"cold"`
	Changes lbdChanges `json:"changes"`
	Restart lbdStart   `json:"restart"`
}

// lbdStart is a start in its parts: until the programs are in the kernel, and what was pinned is read back; until all lists have
// arrived; and until all is in the maps.
type lbdStart struct {
	Seconds     float64 `json:"seconds"`
	LoadSeconds float64 `json:"load_seconds"`
	ListSeconds float64 `json:"list_seconds"`
	SyncSeconds float64 `json:"sync_seconds"`
	Adopted     bool    `json:"adopted"`
	usage
	LoadCPUSeconds float64 `json:"load_cpu_seconds"` // of cpu_seconds
	ScrapeSeconds  float64 `json:"scrape_seconds"`   // lbd does nothing else meanwhile
}

type lbdChanges struct {
	changes
	Inside      inside  `json:"inside_ms"`
	QuestionMs  float64 `json:"median_question_ms"`
	AskEveryMs  float64 `json:"ask_every_ms"`
	CPUSeconds  float64 `json:"cpu_seconds"`
	ResidentNow int64   `json:"resident_bytes"`
}

// inside is what lbd's own histogram says. Quantiles are upper bounds of its buckets.
type inside struct {
	Mean      float64 `json:"mean"`
	P50Within float64 `json:"p50_within"`
	P99Within float64 `json:"p99_within"`
	Syncs     int     `json:"syncs"`
}

type lbdStatus struct {
	Synced, Adopted    bool
	Services, Problems int
	FailedWrites       int `json:"failed_writes"`
}

type control struct{ client *http.Client }

func controlSocket(path string) control {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	return control{&http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: time.Minute}}
}

func (c control) ask(path string, answer any) error {
	response, err := c.client.Get("http://lbd" + path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

func measureLbd(s settings) (any, error) {
	if s.socket == "" {
		return nil, errors.New("needs --socket")
	}
	var figures lbdFigures
	lbd, cold, err := startLbd(s)
	if err != nil {
		return nil, err
	}
	defer func() { lbd.stop() }()
	figures.Cold = cold
	if figures.Changes, err = changeUnderLbd(s, lbd); err != nil {
		return nil, err
	}
	if err := lbd.stop(); err != nil {
		return nil, err
	}
	if lbd, figures.Restart, err = startLbd(s); err != nil {
		return nil, err
	}
	if !figures.Restart.Adopted {
		return nil, errors.New("lbd did not adopt its maps when it was started again")
	}
	return figures, lbd.stop()
}

func startLbd(s settings) (*process, lbdStart, error) {
	var figures lbdStart
	received, _ := receivedBytes()
	lbd, err := start(s.command, s.log)
	if err != nil {
		return nil, figures, err
	}
	if err = figures.follow(s, lbd); err != nil {
		lbd.stop()
	}
	figures.ReceivedBytes -= received
	return lbd, figures, err
}

func (f *lbdStart) follow(s settings, lbd *process) error {
	load, err := lbd.said("lbd is running", s.limit)
	if err != nil {
		return err
	}
	loaded, err := lbd.usage()
	if err != nil {
		return err
	}
	whole, err := lbd.said("in sync", s.limit)
	if err != nil {
		return err
	}
	// Answered only when the maps are written; and before anything else asks for memory.
	if f.Adopted, err = checkStatus(s); err != nil {
		return err
	}
	if f.usage, err = lbd.usage(); err != nil {
		return err
	}
	begin := time.Now()
	samples, err := scrape(s.metrics, syncDuration)
	if err != nil {
		return err
	}
	f.ScrapeSeconds = time.Since(begin).Seconds()
	f.Seconds, f.LoadSeconds, f.LoadCPUSeconds = whole.Seconds(), load.Seconds(), loaded.CPUSeconds
	f.SyncSeconds = histogramOf(samples, syncDuration).sum
	f.ListSeconds = f.Seconds - f.LoadSeconds - f.SyncSeconds
	return nil
}

// checkStatus fails when lbd does not serve what was loaded. The API server itself is one more.
func checkStatus(s settings) (adopted bool, err error) {
	var status lbdStatus
	if err := controlSocket(s.socket).ask("/v1/status", &status); err != nil {
		return false, err
	}
	if !status.Synced || status.Services < s.services || status.Problems > 0 || status.FailedWrites > 0 {
		return false, fmt.Errorf("lbd serves %d of %d services, with %d problems and %d failed writes",
			status.Services, s.services, status.Problems, status.FailedWrites)
	}
	return status.Adopted, nil
}

func changeUnderLbd(s settings, lbd *process) (lbdChanges, error) {
	var figures lbdChanges
	before, err := scrape(s.metrics, syncDuration)
	if err != nil {
		return figures, err
	}
	took, err := lbd.usage()
	if err != nil {
		return figures, err
	}
	var questions []time.Duration
	if figures.changes, err = changeEndpoints(s, seenByLbd(s, &questions)); err != nil {
		return figures, err
	}
	now, err := lbd.usage()
	if err != nil {
		return figures, err
	}
	after, err := scrape(s.metrics, syncDuration)
	if err != nil {
		return figures, err
	}
	h := histogramOf(after, syncDuration).since(histogramOf(before, syncDuration))
	figures.Inside = inside{1000 * h.sum / h.count, 1000 * h.within(0.5), 1000 * h.within(0.99), int(h.count)}
	figures.QuestionMs, figures.AskEveryMs = quantilesOf(questions).P50, milliseconds(askEvery)
	figures.CPUSeconds, figures.ResidentNow = now.since(took).CPUSeconds, now.ResidentBytes
	return figures, nil
}

type serviceAnswer struct {
	Ports []struct {
		Backends []struct {
			Address, State string
			Slot           int
		}
	}
}

func (answer serviceAnswer) has(address string) bool {
	for _, port := range answer.Ports {
		for _, backend := range port.Backends {
			if backend.Address == address && backend.State == "active" && backend.Slot >= 0 {
				return true
			}
		}
	}
	return false
}

func seenByLbd(s settings, questions *[]time.Duration) sight {
	lbd := controlSocket(s.socket)
	return func(ctx context.Context, service, address string) (time.Time, error) {
		for {
			var answer serviceAnswer
			asked := time.Now()
			if err := lbd.ask("/v1/services/"+s.namespace+"/"+service, &answer); err != nil {
				return asked, err
			}
			now := time.Now()
			*questions = append(*questions, now.Sub(asked))
			if answer.has(address) {
				return now, nil
			}
			select {
			case <-ctx.Done():
				return now, fmt.Errorf("%s was not programmed within %s", address, s.limit)
			case <-time.After(askEvery):
			}
		}
	}
}
