// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// component is one program of the control plane, which can be started again and again. Its output goes to NAME.log in the folder.
// Only the main thread may start it, see main.
type component struct {
	name    string
	command []string
	dir     string
	process *exec.Cmd
	ended   chan struct{} // closed when the process that runs now has ended
}

func (c *component) start() error {
	log, err := os.OpenFile(filepath.Join(c.dir, c.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	process := exec.Command(c.command[0], c.command[1:]...)
	process.Dir, process.Stdout, process.Stderr = c.dir, log, log
	// In a group of its own: a terminal's ^C is ours to handle.
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := process.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.name, err)
	}
	ended := make(chan struct{})
	c.process, c.ended = process, ended
	go func() {
		process.Wait()
		close(ended)
	}()
	return nil
}

func (c *component) running() bool {
	if c.process == nil {
		return false
	}
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

func (c *component) pid() int {
	if !c.running() {
		return 0
	}
	return c.process.Process.Pid
}

func (c *component) signal(number syscall.Signal) error {
	if !c.running() {
		return fmt.Errorf("%s is not running", c.name)
	}
	return c.process.Process.Signal(number)
}

// stop returns when the process has ended: by `first`, or by SIGKILL a little later. An API server that is asked to end would
// wait for its watches, and so for a minute.
func (c *component) stop(first syscall.Signal) error {
	if err := c.signal(first); err != nil {
		return err
	}
	c.signal(syscall.SIGCONT)
	select {
	case <-c.ended:
	case <-time.After(2 * time.Second):
		c.signal(syscall.SIGKILL)
		<-c.ended
	}
	return nil
}

// tail is for telling why it ended.
func (c *component) tail() string {
	text, _ := os.ReadFile(filepath.Join(c.dir, c.name+".log"))
	return string(text[max(0, len(text)-2000):])
}
