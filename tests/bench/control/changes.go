// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

const mostChanges = 1024

// sight returns when the endpoint is programmed, by the moment at which that was seen.
type sight func(ctx context.Context, service, address string) (time.Time, error)

// changes are how long it took from an API server's answer to a write, and from before it, to the endpoint being programmed.
type changes struct {
	Count      int       `json:"count"`
	AfterWrite quantiles `json:"after_write_ms"`
	FromSend   quantiles `json:"from_send_ms"`
}

// changeEndpoints replaces the first endpoint of one slice after the other, each by one that was never there.
func changeEndpoints(s settings, seen sight) (changes, error) {
	client, err := apiClient(s.ca)
	if err != nil {
		return changes{}, err
	}
	var afterWrite, fromSend []time.Duration
	for i := range s.changes {
		// A large prime spreads them over all services.
		service := fmt.Sprintf("service-%05d", (i+1)*7919%s.services)
		one, err := changeEndpoint(s, client, service, freshAddress(i), seen)
		if err != nil {
			return changes{}, fmt.Errorf("change %d, of %s: %w", i+1, service, err)
		}
		afterWrite = append(afterWrite, max(0, one.seen.Sub(one.written)))
		fromSend = append(fromSend, one.seen.Sub(one.sent))
		time.Sleep(s.pace)
	}
	return changes{s.changes, quantilesOf(afterWrite), quantilesOf(fromSend)}, nil
}

// In 10.128.0.0/10, where "controlplane load" puts none, and another in each process.
func freshAddress(i int) string {
	number := os.Getpid()%4096*mostChanges + i
	return net.IPv4(10, byte(128+number>>16), byte(number>>8), byte(number)).String()
}

type change struct{ sent, written, seen time.Time }

func changeEndpoint(s settings, client *http.Client, service, address string, seen sight) (change, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.limit)
	defer cancel()
	var one change
	var failure error
	done := make(chan struct{})
	go func() {
		defer close(done)
		one.seen, failure = seen(ctx, service, address)
	}()
	one.sent = time.Now()
	if err := patchSlice(ctx, s, client, service+"-ipv4", address); err != nil {
		return one, err
	}
	one.written = time.Now()
	<-done
	return one, failure
}

func patchSlice(ctx context.Context, s settings, client *http.Client, slice, address string) error {
	url := s.server + "/apis/discovery.k8s.io/v1/namespaces/" + s.namespace + "/endpointslices/" + slice
	body := fmt.Sprintf(`[{"op":"replace","path":"/endpoints/0/addresses","value":[%q]}]`, address)
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json-patch+json")
	request.Header.Set("Authorization", "Bearer "+s.token)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("PATCH %s: %s: %.300s", slice, response.Status, answer)
	}
	return err
}

func apiClient(ca string) (*http.Client, error) {
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate", ca)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}, Timeout: time.Minute}, nil
}
