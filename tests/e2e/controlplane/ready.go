// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const patience = 60 * time.Second

func (p *plane) startAPIServer(ctx context.Context) error {
	if p.apiserver.running() {
		return errors.New("kube-apiserver is running")
	}
	if err := p.apiserver.start(); err != nil {
		return err
	}
	return p.waitFor(ctx, p.apiserver, "/readyz")
}

// waitFor returns when the API server answers that request with 200, and fails when that component ends before.
func (p *plane) waitFor(ctx context.Context, c *component, path string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client, err := p.adminClient()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	for {
		err := get(ctx, client, p.localURL()+path)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w; %s said: %s", path, err, c.name, c.tail())
		case <-c.ended:
			return fmt.Errorf("%s ended: %s", c.name, c.tail())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *plane) adminClient() (*http.Client, error) {
	pair, err := tls.X509KeyPair(p.admin.certificate, p.admin.key)
	if err != nil {
		return nil, err
	}
	config := p.ca.trust()
	config.Certificates = []tls.Certificate{pair}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: 5 * time.Second}, nil
}

func get(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// compact makes etcd forget all but its last revision. Its JSON gateway writes 64-bit numbers as strings.
func (p *plane) compact(ctx context.Context) error {
	var now struct {
		Header struct{ Revision json.Number }
	}
	if err := p.callEtcd(ctx, "range", map[string]any{"key": []byte{0}}, &now); err != nil {
		return err
	}
	return p.callEtcd(ctx, "compaction", map[string]any{"revision": now.Header.Revision, "physical": true}, &now)
}

func (p *plane) callEtcd(ctx context.Context, method string, body, reply any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.etcdURL()+"/v3/kv/"+method, bytes.NewReader(text))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd: %s: %s", method, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(reply)
}
