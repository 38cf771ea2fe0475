// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
)

// Package syscall has no name for it.
var setnsNumber = map[string]uintptr{"amd64": 308, "arm64": 268}[runtime.GOARCH]

func setns(file *os.File) error {
	if _, _, errno := syscall.RawSyscall(setnsNumber, file.Fd(), syscall.CLONE_NEWNET, 0); errno != 0 {
		return fmt.Errorf("enter network namespace %s: %w", file.Name(), errno)
	}
	return nil
}

// listenIn listens to a TCP port inside /run/netns/NAME, or here without a name. The socket stays there, whichever thread uses it.
func listenIn(netns, address string) (net.Listener, error) {
	if netns == "" {
		return net.Listen("tcp", address)
	}
	there, err := os.Open("/run/netns/" + netns)
	if err != nil {
		return nil, err
	}
	defer there.Close()
	type outcome struct {
		listener net.Listener
		err      error
	}
	done := make(chan outcome)
	go func() {
		// Never unlocked: the thread ends with this goroutine, and nobody else runs in that namespace.
		runtime.LockOSThread()
		if err := setns(there); err != nil {
			done <- outcome{nil, err}
			return
		}
		listener, err := net.Listen("tcp", address)
		done <- outcome{listener, err}
	}()
	result := <-done
	return result.listener, result.err
}
