// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// rule says which requests meet which fault, as tests write it.
type rule struct {
	Method string `json:"method"` // empty: all
	Path   string `json:"path"`   // exact, or with '*' at its end the beginning; empty: all
	Watch  *bool  `json:"watch"`  // only watches, or all but these
	Fault  string `json:"fault"`
	Count  int    `json:"count"` // so many requests, then no more; 0: all

	// Where within the answer it happens: after so many events of a watch, or bytes.
	AfterEvents int `json:"after_events"`
	AfterBytes  int `json:"after_bytes"`

	Status     int `json:"status"`
	RetryAfter int `json:"retry_after"` // seconds
	DelayMs    int `json:"delay_ms"`

	met int
}

// Before the API server is asked, and in its answer.
var (
	requestFaults = []string{"status", "delay"}
	answerFaults  = []string{"garbage", "truncate", "cut", "stall", "expired", "duplicate", "reorder"}
)

func (r *rule) check() error {
	if !slices.Contains(requestFaults, r.Fault) && !slices.Contains(answerFaults, r.Fault) {
		return errors.New("fault: one of " + strings.Join(append(requestFaults, answerFaults...), ", "))
	}
	if r.Fault == "status" && http.StatusText(r.Status) == "" {
		return errors.New("status: a status code of HTTP")
	}
	return nil
}

func isWatch(request *http.Request) bool {
	value := request.URL.Query().Get("watch")
	return value == "1" || value == "true"
}

func (r *rule) matches(request *http.Request) bool {
	if r.Count > 0 && r.met >= r.Count || r.Method != "" && r.Method != request.Method {
		return false
	}
	if r.Watch != nil && *r.Watch != isWatch(request) {
		return false
	}
	if start, prefix := strings.CutSuffix(r.Path, "*"); prefix {
		return strings.HasPrefix(request.URL.Path, start)
	}
	return r.Path == "" || r.Path == request.URL.Path
}

// ledger knows the rules and what came by. Safe for use by all requests at once.
type ledger struct {
	mutex sync.Mutex
	rules []*rule
	seen  map[traffic]*tally
	over  chan struct{} // closed when these rules are cleared, for those that stall
}

type traffic struct {
	method, path string
	watch        bool
}

type tally struct{ total, open, faults int }

func newLedger() *ledger { return &ledger{seen: map[traffic]*tally{}, over: make(chan struct{})} }

func (l *ledger) add(r *rule) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.rules = append(l.rules, r)
}

func (l *ledger) clear() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.rules = nil
	close(l.over)
	l.over = make(chan struct{})
}

// begin counts a request and gives the first rule that it meets; call the function when it is done. The channel is closed when
// that rule no longer holds.
func (l *ledger) begin(request *http.Request) (*rule, <-chan struct{}, func()) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	key := traffic{request.Method, request.URL.Path, isWatch(request)}
	if l.seen[key] == nil {
		l.seen[key] = &tally{}
	}
	count := l.seen[key]
	count.total++
	count.open++
	end := func() {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		count.open--
	}
	for _, r := range l.rules {
		if r.matches(request) {
			r.met++
			count.faults++
			met := *r
			return &met, l.over, end
		}
	}
	return nil, l.over, end
}

func (l *ledger) stats() []map[string]any {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	result := []map[string]any{}
	for key, count := range l.seen {
		result = append(result, map[string]any{"method": key.method, "path": key.path, "watch": key.watch,
			"total": count.total, "open": count.open, "faults": count.faults})
	}
	return result
}
