// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"io"
)

// faultyBody is an answer of the API server with a fault in it. A watch is taken event by event, a line each; anything else in
// pieces as they come.
type faultyBody struct {
	rule    rule
	source  io.ReadCloser
	reader  *bufio.Reader
	watch   bool
	request context.Context
	over    <-chan struct{}

	events, bytes int
	ready         []byte // to be given to the reader next
	held          []byte // by "reorder"
	done          bool   // nothing more happens
	end           error
}

const expiredEvent = `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",` +
	`"message":"too old resource version: 1 (2)","reason":"Expired","code":410}}` + "\n"

// What no parser of JSON takes, in whichever place.
const garbage = "\x00\xff}]not JSON\n"

var errCut = errors.New("cut by a rule")

func newFaultyBody(source io.ReadCloser, rule rule, watch bool, request context.Context, over <-chan struct{}) *faultyBody {
	return &faultyBody{rule: rule, source: source, reader: bufio.NewReader(source), watch: watch, request: request, over: over}
}

func (b *faultyBody) Close() error { return b.source.Close() }

func (b *faultyBody) Read(target []byte) (int, error) {
	for len(b.ready) == 0 {
		if b.end != nil {
			return 0, b.end
		}
		b.step()
	}
	count := copy(target, b.ready)
	b.ready = b.ready[count:]
	return count, nil
}

// due says whether the fault's place is reached.
func (b *faultyBody) due() bool {
	return !b.done && b.events >= b.rule.AfterEvents && b.bytes >= b.rule.AfterBytes
}

// step makes at least one of `ready` and `end`, or an event to hold back. What needs no piece of the answer does not wait for one.
func (b *faultyBody) step() {
	if b.due() && b.strikeAtOnce() {
		return
	}
	piece, err := b.next()
	switch {
	case len(piece) == 0:
		b.ready, b.held, b.end = b.held, nil, err
	case b.due():
		b.strike(piece)
	default:
		b.ready = piece
		b.events++
		b.bytes += len(piece)
	}
}

// next never goes beyond the byte where the fault is due.
func (b *faultyBody) next() ([]byte, error) {
	left := b.rule.AfterBytes - b.bytes
	if b.watch && left <= 0 {
		return b.reader.ReadBytes('\n')
	}
	piece := make([]byte, 4096)
	if left > 0 {
		piece = piece[:min(left, len(piece))]
	}
	count, err := b.reader.Read(piece)
	return piece[:count], err
}

func (b *faultyBody) strikeAtOnce() bool {
	switch b.rule.Fault {
	case "garbage":
		b.ready, b.done = []byte(garbage), true
	case "expired":
		b.ready, b.end = []byte(expiredEvent), io.EOF
	case "stall":
		select {
		case <-b.request.Done():
		case <-b.over:
		}
		b.end = errCut
	case "cut":
		b.end = errCut
	default:
		return false
	}
	return true
}

func (b *faultyBody) strike(piece []byte) {
	switch b.rule.Fault {
	case "truncate":
		b.ready, b.end = piece[:(len(piece)+1)/2], io.EOF
	case "duplicate":
		b.ready = append(piece, piece...)
	case "reorder":
		if b.held == nil {
			b.held = piece
		} else {
			b.ready, b.held = append(piece, b.held...), nil
		}
	}
}
