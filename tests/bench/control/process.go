// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is the program that is measured. What it says is stamped when it comes, and kept in a file.
type process struct {
	command *exec.Cmd
	started time.Time
	ended   chan struct{}

	mutex sync.Mutex
	lines []stampedLine
	more  chan struct{} // closed and replaced with every line
}

type stampedLine struct {
	at   time.Time
	text string
}

func start(command []string, logFile string) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &process{command: exec.Command(command[0], command[1:]...), ended: make(chan struct{}), more: make(chan struct{})}
	p.command.Stdout, p.command.Stderr = writer, writer
	p.started = time.Now()
	err = p.command.Start()
	writer.Close()
	if err != nil {
		return nil, err
	}
	go func() {
		p.read(io.TeeReader(reader, log))
		p.command.Wait()
		log.Close()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) read(from io.Reader) {
	for scanner := bufio.NewScanner(from); scanner.Scan(); {
		p.mutex.Lock()
		p.lines = append(p.lines, stampedLine{time.Now(), scanner.Text()})
		close(p.more)
		p.more = make(chan struct{})
		p.mutex.Unlock()
	}
}

func (p *process) find(text string) (at time.Time, found bool, more <-chan struct{}) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, line := range p.lines {
		if strings.Contains(line.text, text) {
			return line.at, true, nil
		}
	}
	return time.Time{}, false, p.more
}

// said returns how long after its start the program first said that.
func (p *process) said(text string, limit time.Duration) (time.Duration, error) {
	deadline := time.After(time.Until(p.started.Add(limit)))
	for {
		at, found, more := p.find(text)
		if found {
			return at.Sub(p.started), nil
		}
		select {
		case <-more:
		case <-p.ended:
			return 0, p.endedEarly()
		case <-deadline:
			return 0, fmt.Errorf("%s did not say %q within %s; its last line: %s", p.command.Path, text, limit, p.lastLine())
		}
	}
}

func (p *process) endedEarly() error {
	return fmt.Errorf("%s ended: %v; its last line: %s", p.command.Path, p.command.ProcessState, p.lastLine())
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *process) lastLine() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if len(p.lines) == 0 {
		return "none"
	}
	return p.lines[len(p.lines)-1].text
}

func (p *process) stop() error {
	if p.hasEnded() {
		return nil
	}
	p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return nil
	case <-time.After(30 * time.Second):
		p.command.Process.Kill()
		<-p.ended
		return errors.New(p.command.Path + " did not end within 30 s of SIGTERM")
	}
}
