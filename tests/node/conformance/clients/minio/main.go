// Lists a bucket, once for each line of its input, with one client for as long as it lives.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"runtime/debug"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const bucket = "orders"

type answer struct {
	SDK    string `json:"sdk"`
	Bucket string `json:"bucket,omitempty"`
	Key    string `json:"key,omitempty"`
	Error  string `json:"error,omitempty"`
	Words  string `json:"words,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func run() error {
	endpoint, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	if err != nil {
		return err
	}
	chain := credentials.NewChainCredentials([]credentials.Provider{
		&credentials.EnvAWS{},
		&credentials.FileAWSCredentials{},
	})
	client, err := minio.New(endpoint.Host, &minio.Options{Creds: chain, Region: "us-east-1"})
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if err := json.NewEncoder(os.Stdout).Encode(ask(client, chain)); err != nil {
			return err
		}
	}
	return lines.Err()
}

func ask(client *minio.Client, chain *credentials.Credentials) answer {
	said := answer{SDK: version(), Bucket: bucket}
	for object := range client.ListObjects(context.Background(), bucket, minio.ListObjectsOptions{}) {
		if object.Err != nil {
			said.Bucket = ""
			said.Error, said.Words = minio.ToErrorResponse(object.Err).Code, object.Err.Error()
		}
	}
	if used, err := chain.GetWithContext(nil); err == nil && len(used.AccessKeyID) > 4 {
		said.Key = used.AccessKeyID[len(used.AccessKeyID)-4:]
	}
	return said
}

func version() string {
	built, _ := debug.ReadBuildInfo()
	for _, module := range built.Deps {
		if module.Path == "github.com/minio/minio-go/v7" {
			return module.Version[1:]
		}
	}
	return ""
}
