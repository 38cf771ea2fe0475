// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net"
	"sync"
)

// forward carries every connection to the listener on to `to`, until the listener is closed. What cannot be carried on is reset, as
// if nobody listened.
func forward(listener net.Listener, to string) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go carry(connection.(*net.TCPConn), to)
	}
}

func carry(client *net.TCPConn, to string) {
	defer client.Close()
	dialled, err := net.Dial("tcp", to)
	if err != nil {
		client.SetLinger(0)
		return
	}
	server := dialled.(*net.TCPConn)
	defer server.Close()
	var both sync.WaitGroup
	both.Add(2)
	go pump(client, server, &both)
	go pump(server, client, &both)
	both.Wait()
}

// pump hands on an orderly end as one, and anything else as a reset.
func pump(from, to *net.TCPConn, done *sync.WaitGroup) {
	defer done.Done()
	if _, err := io.Copy(to, from); err != nil {
		from.SetLinger(0)
		to.SetLinger(0)
		from.Close()
		to.Close()
		return
	}
	to.CloseWrite()
}
