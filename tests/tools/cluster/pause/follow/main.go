// Follow writes what a file holds, and again each time that changes, and first whether it reaches the
// API server as a pod does: by the environment that kubelet gives it, with the certificate it mounts.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	if len(os.Args) > 2 {
		fmt.Println("api server:", reach(os.Args[2]))
	}
	last := ""
	for {
		content, err := os.ReadFile(os.Args[1])
		if err == nil && string(content) != last {
			last = string(content)
			fmt.Println("content:", last)
		}
		select {
		case <-stop:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func reach(authority string) string {
	pem, err := os.ReadFile(authority)
	if err != nil {
		return err.Error()
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	client := http.Client{Transport: transport, Timeout: 20 * time.Second}
	host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	answer, err := client.Get("https://" + host + ":" + port + "/readyz")
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	return answer.Status
}
