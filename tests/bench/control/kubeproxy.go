// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"
)

const (
	lastSync  = "kubeproxy_sync_proxy_rules_last_timestamp_seconds"
	lookEvery = 100 * time.Millisecond
)

type kubeProxyFigures struct {
	Cold    kubeProxyStart `json:"cold"`
	Changes changes        `json:"changes"`
}

type kubeProxyStart struct {
	Seconds float64 `json:"seconds"`
	usage
}

func measureKubeProxy(s settings) (any, error) {
	var figures kubeProxyFigures
	received, _ := receivedBytes()
	proxy, err := start(s.command, s.log)
	if err != nil {
		return nil, err
	}
	defer proxy.stop()
	if figures.Cold.Seconds, err = firstSync(s, proxy); err != nil {
		return nil, err
	}
	if figures.Cold.usage, err = proxy.usage(); err != nil {
		return nil, err
	}
	figures.Cold.ReceivedBytes -= received
	monitor, err := watchRuleset()
	if err != nil {
		return nil, err
	}
	defer monitor.close()
	figures.Changes, err = changeEndpoints(s, func(ctx context.Context, service, address string) (time.Time, error) {
		// The end of the name of an endpoint's chain.
		return monitor.await(ctx, "__"+address+"/")
	})
	return figures, err
}

// firstSync is how long it took until the rules of both families were programmed for the first time.
func firstSync(s settings, proxy *process) (float64, error) {
	for deadline := time.Now().Add(s.limit); time.Now().Before(deadline); time.Sleep(lookEvery) {
		if proxy.hasEnded() {
			return 0, proxy.endedEarly()
		}
		// It does not listen yet when it has just been started.
		samples, _ := scrape(s.metrics, lastSync)
		latest, families := 0.0, 0
		for _, sample := range samples {
			if sample.value > 0 {
				latest = max(latest, sample.value)
				families++
			}
		}
		if families == 2 {
			return latest - float64(proxy.started.UnixMicro())/1e6, nil
		}
	}
	return 0, fmt.Errorf("kube-proxy did not program its rules within %s", s.limit)
}
