// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

const (
	netlinkNetfilter   = 12
	nftablesGroup      = 1 << (7 - 1) // NFNLGRP_NFTABLES
	receiveBufferForce = 33           // SO_RCVBUFFORCE
	receiveBuffer      = 64 << 20
)

// ruleset hears of every change of nftables in this network namespace, after it was committed.
type ruleset struct {
	socket int
	buffer []byte
}

func watchRuleset() (*ruleset, error) {
	socket, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, netlinkNetfilter)
	if err != nil {
		return nil, os.NewSyscallError("nftables' socket", err)
	}
	r := &ruleset{socket, make([]byte, 1<<20)}
	second := syscall.Timeval{Sec: 1}
	err = errors.Join(
		syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, receiveBufferForce, receiveBuffer),
		syscall.SetsockoptTimeval(socket, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &second),
		syscall.Bind(socket, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK, Groups: nftablesGroup}))
	if err != nil {
		r.close()
		return nil, os.NewSyscallError("nftables' notifications", err)
	}
	return r, nil
}

func (r *ruleset) close() { syscall.Close(r.socket) }

// await returns when something with that text in its name has been committed.
func (r *ruleset) await(ctx context.Context, text string) (time.Time, error) {
	for ctx.Err() == nil {
		size, _, err := syscall.Recvfrom(r.socket, r.buffer, 0)
		switch {
		case err == syscall.EAGAIN || err == syscall.EINTR:
		case err != nil:
			return time.Time{}, os.NewSyscallError("nftables' notifications", err)
		case bytes.Contains(r.buffer[:size], []byte(text)):
			return time.Now(), nil
		}
	}
	return time.Time{}, fmt.Errorf("no rule for %s: %w", text, ctx.Err())
}
