// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// podNews is all pods, after which nothing else is there, or a change of one.
type podNews struct {
	all  bool
	pods []*pod
	gone bool // the one of them
}

// followPods hands over all pods and then their changes, until the context ends. After any trouble it begins anew.
func followPods(ctx context.Context, api *apiClient, news chan<- podNews) {
	for ctx.Err() == nil {
		revision, err := listPods(api, news)
		if err == nil {
			err = watchPods(ctx, api, revision, news)
		}
		if err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "kubelets: following pods:", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func listPods(api *apiClient, news chan<- podNews) (string, error) {
	var list struct {
		Metadata struct{ ResourceVersion string }
		Items    []*pod
	}
	if err := api.call(http.MethodGet, "/api/v1/pods", "", nil, &list); err != nil {
		return "", err
	}
	news <- podNews{all: true, pods: list.Items}
	return list.Metadata.ResourceVersion, nil
}

// watchPods returns without an error when the server has closed a watch that has lasted long enough.
func watchPods(ctx context.Context, api *apiClient, revision string, news chan<- podNews) error {
	path := "/api/v1/pods?watch=1&timeoutSeconds=300&resourceVersion=" + revision
	response, err := api.open(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	for decoder := json.NewDecoder(response.Body); decoder.More(); {
		var event struct {
			Type   string
			Object json.RawMessage
		}
		if err := decoder.Decode(&event); err != nil {
			return err
		}
		if event.Type == "ERROR" {
			return errors.New(string(event.Object))
		}
		seen := new(pod)
		if err := json.Unmarshal(event.Object, seen); err != nil {
			return err
		}
		news <- podNews{pods: []*pod{seen}, gone: event.Type == "DELETED"}
	}
	return nil
}
