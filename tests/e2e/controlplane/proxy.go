// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"time"
)

type proxy struct {
	*ledger
	mutex       sync.Mutex
	connections context.Context // of all requests; done when they are to be cut
	cut         context.CancelFunc
	forward     httputil.ReverseProxy
}

func newProxy(target *url.URL, trust *tls.Config) *proxy {
	p := &proxy{ledger: newLedger()}
	p.connections, p.cut = context.WithCancel(context.Background())
	p.forward = httputil.ReverseProxy{
		Rewrite:        func(request *httputil.ProxyRequest) { request.SetURL(target) },
		Transport:      &http.Transport{TLSClientConfig: trust, MaxIdleConnsPerHost: 100, DisableCompression: true},
		FlushInterval:  -1,
		ModifyResponse: spoil,
		// What a proxy in front of a server that is away says; and clients that leave are no news.
		ErrorHandler: func(writer http.ResponseWriter, _ *http.Request, _ error) { writer.WriteHeader(http.StatusBadGateway) },
		ErrorLog:     log.New(io.Discard, "", 0),
	}
	return p
}

// The part of a request that ModifyResponse needs.
type spoiling struct {
	rule rule
	over <-chan struct{}
}

type spoilingKey struct{}

func (p *proxy) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	rule, over, end := p.begin(request)
	defer end()
	ctx, cancel := context.WithCancel(request.Context())
	defer cancel()
	connections := p.current()
	defer context.AfterFunc(connections, cancel)()
	if rule != nil {
		switch rule.Fault {
		case "status":
			writeStatus(writer, rule.Status, rule.RetryAfter)
			return
		case "delay":
			select {
			case <-ctx.Done():
			case <-over:
			case <-time.After(time.Duration(rule.DelayMs) * time.Millisecond):
			}
		default:
			ctx = context.WithValue(ctx, spoilingKey{}, spoiling{*rule, over})
		}
	}
	p.forward.ServeHTTP(writer, request.WithContext(ctx))
	// However forwarding ended: what is cut must not look like an answer's orderly end.
	if connections.Err() != nil {
		panic(http.ErrAbortHandler)
	}
}

func spoil(response *http.Response) error {
	request := response.Request
	if what, found := request.Context().Value(spoilingKey{}).(spoiling); found {
		response.Body = newFaultyBody(response.Body, what.rule, isWatch(request), request.Context(), what.over)
		// It may become longer or shorter, and end early yet orderly.
		response.ContentLength = -1
		response.Header.Del("Content-Length")
	}
	return nil
}

func (p *proxy) current() context.Context {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.connections
}

func (p *proxy) disconnect() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.cut()
	p.connections, p.cut = context.WithCancel(context.Background())
}

// The reasons of the API server; it has none for other codes.
var reasons = map[int]string{
	400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 410: "Expired",
	429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
}

func writeStatus(writer http.ResponseWriter, code, retryAfter int) {
	status := map[string]any{
		"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Failure", "code": code,
		"message": fmt.Sprintf("a rule says %d %s", code, http.StatusText(code)), "reason": reasons[code],
	}
	writer.Header().Set("Content-Type", "application/json")
	if retryAfter > 0 {
		writer.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		status["details"] = map[string]any{"retryAfterSeconds": retryAfter}
	}
	writer.WriteHeader(code)
	json.NewEncoder(writer).Encode(status)
}
