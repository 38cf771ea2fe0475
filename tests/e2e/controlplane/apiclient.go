// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// apiClient speaks JSON with an API server, as a user whom the authority in the control plane's folder vouches for.
type apiClient struct {
	server string
	http   *http.Client
}

// apiError is an answer other than success.
type apiError struct {
	status int
	text   string
}

func (e *apiError) Error() string { return e.text }

func newAPIClient(server, planeDir, user string) (*apiClient, error) {
	ca, err := loadAuthority(planeDir)
	if err != nil {
		return nil, err
	}
	who, err := ca.client(user, []string{"system:masters"})
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(who.certificate, who.key)
	if err != nil {
		return nil, err
	}
	config := ca.trust()
	config.Certificates = []tls.Certificate{pair}
	return &apiClient{server, &http.Client{Transport: &http.Transport{TLSClientConfig: config}}}, nil
}

func (c *apiClient) open(ctx context.Context, method, path, contentType string, body any) (*http.Response, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	if body == nil {
		text = nil
	}
	request, err := http.NewRequestWithContext(ctx, method, c.server+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", contentType)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		defer response.Body.Close()
		why, _ := io.ReadAll(io.LimitReader(response.Body, 2000))
		return nil, &apiError{response.StatusCode, fmt.Sprintf("%s %s: %s: %s", method, path, response.Status, why)}
	}
	return response, nil
}

// call gives up after ten seconds. What is answered is decoded into `reply`, unless that is nil.
func (c *apiClient) call(method, path, contentType string, body, reply any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	response, err := c.open(ctx, method, path, contentType, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if reply != nil {
		return json.NewDecoder(response.Body).Decode(reply)
	}
	// Read to its end, or the connection could not be used again.
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func (c *apiClient) post(path string, body any) error {
	return c.call(http.MethodPost, path, "application/json", body, nil)
}

// patchStatus is refused when the pod at that path is another one by now.
func (c *apiClient) patchStatus(p *pod, status map[string]any) error {
	body := map[string]any{"metadata": map[string]any{"uid": p.Metadata.UID}, "status": status}
	return c.call(http.MethodPatch, p.path()+"/status", "application/strategic-merge-patch+json", body, nil)
}
