// Traffic is the program of the cluster lab's pods: it keeps TCP connections on which both sides send at a steady
// rate, and reports every connection that opens or closes, as one JSON line on standard output and as one UDP
// datagram to the test, which so knows who talked to whom and when.
//
//	traffic -listen 20000-20040 -connect row=10.0.0.1:20000,other=[fd00::1]:20001 -rate 5 -size 500 -report 172.31.99.1:19999
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

type report struct {
	Time  float64 `json:"time"` // Unix ms
	Pod   string  `json:"pod"`
	Event string  `json:"event"` // start open accept close fail end
	Label string  `json:"label,omitempty"`
	Local string  `json:"local,omitempty"`
	Peer  string  `json:"peer,omitempty"`
	Error string  `json:"error,omitempty"`
}

var (
	pod      = os.Getenv("POD")
	out      sync.Mutex
	reporter net.Conn
	interval time.Duration
	size     int
)

func main() {
	listen := flag.String("listen", "", "ports to accept on, LOW-HIGH")
	connect := flag.String("connect", "", "connections to keep, LABEL=ADDRESS:PORT,…")
	rate := flag.Float64("rate", 5, "writes a second on each connection")
	flag.IntVar(&size, "size", 500, "bytes a write")
	to := flag.String("report", "", "where datagrams go")
	seconds := flag.Float64("for", 0, "seconds until it ends with exit code 0, 0 for never")
	flag.Parse()
	interval = time.Duration(float64(time.Second) / *rate)
	if *to != "" {
		reporter, _ = net.Dial("udp", *to)
	}
	say(report{Event: "start"})
	if *listen != "" {
		var low, high int
		if n, err := fmt.Sscanf(*listen, "%d-%d", &low, &high); n != 2 {
			fail(err)
		}
		for port := low; port <= high; port++ {
			// One socket for both families: IPv4 peers come as mapped addresses on the inside.
			listener, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
			if err != nil {
				fail(err)
			}
			go accept(listener)
		}
	}
	for _, target := range strings.Split(*connect, ",") {
		if label, address, ok := strings.Cut(target, "="); ok {
			go keep(label, address)
		}
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	if *seconds > 0 {
		time.AfterFunc(time.Duration(*seconds*float64(time.Second)), func() { ended <- syscall.SIGTERM })
	}
	<-ended
	say(report{Event: "end"})
}

func accept(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			fail(err)
		}
		go exchange(connection, "accept", "")
	}
}

func keep(label, address string) {
	dialer := net.Dialer{Timeout: 20 * time.Second}
	for {
		connection, err := dialer.Dial("tcp", address)
		if err == nil {
			err = exchange(connection, "open", label)
		} else {
			say(report{Event: "fail", Label: label, Peer: address, Error: err.Error()})
		}
		time.Sleep(time.Second)
	}
}

func exchange(connection net.Conn, event, label string) error {
	local, peer := connection.LocalAddr().String(), connection.RemoteAddr().String()
	say(report{Event: event, Label: label, Local: local, Peer: peer})
	go func() {
		_, _ = io.Copy(io.Discard, connection)
		connection.Close()
	}()
	chunk := make([]byte, size)
	for {
		if _, err := connection.Write(chunk); err != nil {
			connection.Close()
			say(report{Event: "close", Label: label, Local: local, Peer: peer, Error: err.Error()})
			return err
		}
		time.Sleep(interval)
	}
}

func say(r report) {
	r.Time = float64(time.Now().UnixMicro()) / 1000
	r.Pod = pod
	line, _ := json.Marshal(r)
	out.Lock()
	defer out.Unlock()
	fmt.Println(string(line))
	if reporter != nil {
		_, _ = reporter.Write(line)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
