// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

type sample struct {
	name, labels string
	value        float64
}

// scrape reads the text format of Prometheus, samples of some names only: there can be a hundred thousand of others.
func scrape(url, prefix string) ([]sample, error) {
	client := http.Client{Timeout: time.Minute}
	response, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	var samples []sample
	scanner := bufio.NewScanner(response.Body)
	for scanner.Scan() {
		key, value, _ := strings.Cut(scanner.Text(), " ")
		name, labels, _ := strings.Cut(key, "{")
		if number, err := strconv.ParseFloat(value, 64); err == nil && strings.HasPrefix(name, prefix) {
			samples = append(samples, sample{name, labels, number})
		}
	}
	return samples, scanner.Err()
}

// histogram has the counts of its buckets by upper bound, each with those of the smaller ones in it.
type histogram struct {
	sum, count float64
	buckets    map[float64]float64
}

var upperBound = regexp.MustCompile(`le="([^"]+)"`)

// histogramOf is that of the IPv4 family.
func histogramOf(samples []sample, name string) histogram {
	h := histogram{buckets: map[float64]float64{}}
	for _, s := range samples {
		if !strings.Contains(s.labels, `ip_family="IPv4"`) {
			continue
		}
		switch s.name {
		case name + "_sum":
			h.sum = s.value
		case name + "_count":
			h.count = s.value
		case name + "_bucket":
			if bound, err := strconv.ParseFloat(upperBound.FindStringSubmatch(s.labels)[1], 64); err == nil {
				h.buckets[bound] = s.value
			}
		}
	}
	return h
}

func (h histogram) since(before histogram) histogram {
	delta := histogram{h.sum - before.sum, h.count - before.count, map[float64]float64{}}
	for bound, count := range h.buckets {
		delta.buckets[bound] = count - before.buckets[bound]
	}
	return delta
}

// within is the upper bound of the bucket that the quantile is in; nothing more exact is known.
func (h histogram) within(share float64) float64 {
	least := math.MaxFloat64
	for bound, count := range h.buckets {
		if count >= share*h.count && !math.IsInf(bound, 1) {
			least = min(least, bound)
		}
	}
	return least
}
