// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

const faultProxyHelp = `usage: controlplane faultproxy --dir DIR --target URL --netns NAME --listen IP:PORT[,IP:PORT]

Answers there with the API server's certificate and hands requests on to it, tokens and all. Lines on standard input are obeyed
and each answered by a line of JSON:

  rule JSON     from now on, requests that match meet the fault; the first rule that matches counts
                {"path":"/api/v1/services","watch":true,"method":"GET","count":2,"fault":FAULT,"after_events":1}
                path* matches all that begin so; what is left out matches all; a count of 0 never ends
  clear         no rules
  disconnect    every open connection is cut
  stats         requests by method, path and kind: how many in all, open now, and met by a rule

Faults of the answer, after "after_events" events of a watch or "after_bytes" bytes:
  garbage       bytes that are no JSON, and then what belongs there
  truncate      an orderly end in the middle of an object
  cut           the connection breaks off
  stall         nothing more is sent, until "clear"; the connection stays
  expired       a watch says ERROR 410, as for a revision that is compacted, and ends
  duplicate     every event, or piece, comes twice
  reorder       every second event comes before the first
and instead of the answer:
  status        {"status":429,"retry_after":1} with the Status object that the API server would send
  delay         {"delay_ms":500} before the API server is asked

`

func (p *proxy) obey(line string) (map[string]any, error) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "rule":
		return nil, p.addRule(rest)
	case "clear":
		p.clear()
	case "disconnect":
		p.disconnect()
	case "stats":
		return map[string]any{"requests": p.stats()}, nil
	default:
		return nil, errors.New("no such command")
	}
	return nil, nil
}

func (p *proxy) addRule(text string) error {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	added := &rule{}
	if err := decoder.Decode(added); err != nil {
		return err
	}
	if err := added.check(); err != nil {
		return err
	}
	p.add(added)
	return nil
}

func faultProxy(arguments []string) error {
	options := flag.NewFlagSet("faultproxy", flag.ExitOnError)
	options.Usage = func() {
		fmt.Fprint(os.Stderr, faultProxyHelp)
		options.PrintDefaults()
	}
	dir := options.String("dir", "", "`folder` of the control plane")
	target := options.String("target", "", "`URL` of the API server")
	netns := options.String("netns", "", "`name` of the namespace to listen in; none: this one")
	listen := options.String("listen", "127.0.0.1:0", "`addresses` with ports; port 0 in the first chooses one for all")
	options.Parse(arguments)
	url, err := url.Parse(*target)
	if err != nil || url.Host == "" || *dir == "" || options.NArg() > 0 {
		return errors.Join(err, errors.New("needs --dir and --target, and nothing but options"))
	}
	ca, err := loadAuthority(*dir)
	if err != nil {
		return err
	}
	pair, err := readIdentity(*dir, "server")
	if err != nil {
		return err
	}
	certificate, err := tls.X509KeyPair(pair.certificate, pair.key)
	if err != nil {
		return err
	}
	listeners, err := listenAll(*netns, strings.Split(*listen, ","))
	if err != nil {
		return err
	}
	return newProxy(url, ca.trust()).serve(listeners, certificate)
}

func listenAll(netns string, addresses []string) ([]net.Listener, error) {
	var listeners []net.Listener
	for _, address := range addresses {
		if host, port, err := net.SplitHostPort(address); err == nil && port == "0" && len(listeners) > 0 {
			_, port, _ = net.SplitHostPort(listeners[0].Addr().String())
			address = net.JoinHostPort(host, port)
		}
		listener, err := listenIn(netns, address)
		if err != nil {
			return nil, err
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

func (p *proxy) serve(listeners []net.Listener, certificate tls.Certificate) error {
	ctx, lines, cancel := untilTold(os.Stdin)
	defer cancel()
	server := &http.Server{
		Handler: p, ErrorLog: log.New(io.Discard, "", 0),
		// Only HTTP/1.1: a connection is a request, and can be cut like one.
		TLSConfig:    &tls.Config{Certificates: []tls.Certificate{certificate}},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	for _, listener := range listeners {
		go server.ServeTLS(listener, "", "")
	}
	defer server.Close()
	say(map[string]any{"ready": true, "server": "https://" + listeners[0].Addr().String()})
	for {
		select {
		case <-ctx.Done():
			return nil
		case line := <-lines:
			more, err := p.obey(line)
			answer(line, err, more)
		}
	}
}
