// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// server is a process in the place of a pod, which answers for it. Only the main thread may start one, see main.
type server struct {
	process *exec.Cmd
}

type serverNews struct {
	server *server
	ended  bool // otherwise it listens
}

// startServer runs the program in the place's network namespace and cgroup. The channel is told when it has said that it listens,
// which is its first line, and when it has ended.
func startServer(at place, command []string, news chan<- serverNews) (*server, error) {
	process := exec.Command("nsenter", append([]string{"--net=/run/netns/" + at.netns, "--"}, command...)...)
	process.Stderr = os.Stderr
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if at.cgroup != "" {
		cgroup, err := os.Open(at.cgroup)
		if err != nil {
			return nil, err
		}
		defer cgroup.Close()
		process.SysProcAttr.UseCgroupFD, process.SysProcAttr.CgroupFD = true, int(cgroup.Fd())
	}
	out, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	s := &server{process}
	go s.watch(out, news)
	return s, nil
}

func (s *server) watch(out io.Reader, news chan<- serverNews) {
	if bufio.NewScanner(out).Scan() {
		news <- serverNews{server: s}
	}
	io.Copy(io.Discard, out)
	s.process.Wait()
	news <- serverNews{server: s, ended: true}
}

// signal does nothing when it has ended.
func (s *server) signal(number syscall.Signal) { s.process.Process.Signal(number) }
