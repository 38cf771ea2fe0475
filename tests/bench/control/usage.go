// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// usage is what a process took until now. Mapped files and BPF maps are part of the resident set, but not anonymous memory.
type usage struct {
	ResidentBytes  int64   `json:"resident_bytes"`
	PeakBytes      int64   `json:"peak_resident_bytes"`
	AnonymousBytes int64   `json:"anonymous_bytes"`
	CPUSeconds     float64 `json:"cpu_seconds"` // with that of children that have ended
	ReceivedBytes  int64   `json:"received_bytes"`
}

func (p *process) usage() (usage, error) {
	var now usage
	directory := fmt.Sprintf("/proc/%d/", p.command.Process.Pid)
	status, err := os.ReadFile(directory + "status")
	if err != nil {
		return now, err
	}
	kibibytes := func(field string) int64 { return 1024 * numberAfter(string(status), field) }
	now.ResidentBytes, now.PeakBytes, now.AnonymousBytes = kibibytes("VmRSS:"), kibibytes("VmHWM:"), kibibytes("RssAnon:")
	if now.CPUSeconds, err = cpuSeconds(directory + "stat"); err != nil {
		return now, err
	}
	now.ReceivedBytes, err = receivedBytes()
	return now, err
}

// receivedBytes is everything that has come to this network namespace over its uplink.
func receivedBytes() (int64, error) {
	network, err := os.ReadFile("/proc/thread-self/net/dev")
	return numberAfter(string(network), "eth0:"), err
}

func numberAfter(text, word string) int64 {
	_, rest, _ := strings.Cut(text, word)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	number, _ := strconv.ParseInt(fields[0], 10, 64)
	return number
}

// Fields 14 to 17 of /proc/PID/stat, in hundredths of a second; the name in field 2 may hold anything but ends with ")".
func cpuSeconds(path string) (float64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	sum := 0.0
	for _, field := range fields[11:15] {
		ticks, _ := strconv.ParseFloat(field, 64)
		sum += ticks
	}
	return sum / 100, nil
}

// since is what was taken from `before` on; sizes are those of now.
func (now usage) since(before usage) usage {
	now.CPUSeconds -= before.CPUSeconds
	now.ReceivedBytes -= before.ReceivedBytes
	return now
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
