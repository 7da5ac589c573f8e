// Command s3client is a workload that reads a bucket again and again with the credentials that
// are mounted into its pod, and says on each line how that went:
//
//	2026-01-02T03:04:05.678Z ok objects=3 key=WXYZ
//	2026-01-02T03:04:06.678Z error code=InvalidAccessKeyId key=WXYZ
//
// It finds endpoint, region and credentials as the AWS SDK does, by AWS_ENDPOINT_URL,
// AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE. BUCKET names the bucket, INTERVAL the time
// between two reads (1s by default). With KEEP it makes one client and keeps it, as most programs do.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "s3client:", err)
		os.Exit(2)
	}
}

func run(ctx context.Context) error {
	bucket := os.Getenv("BUCKET")
	if bucket == "" {
		return errors.New("set BUCKET to the bucket's name")
	}
	interval := time.Second
	if given := os.Getenv("INTERVAL"); given != "" {
		parsed, err := time.ParseDuration(given)
		if err != nil || parsed <= 0 {
			return fmt.Errorf("INTERVAL is not a time such as 500ms: %q", given)
		}
		interval = parsed
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		line := report(ctx, bucket)
		if ctx.Err() != nil {
			return nil
		}
		fmt.Println(time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), line)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func report(ctx context.Context, bucket string) string {
	objects, key, err := read(ctx, bucket)
	if err == nil {
		return fmt.Sprintf("ok objects=%d key=%s", objects, key)
	}
	var coded smithy.APIError
	if errors.As(err, &coded) {
		return fmt.Sprintf("error code=%s key=%s", coded.ErrorCode(), key)
	}
	return fmt.Sprintf("error message=%q key=%s", strings.ReplaceAll(err.Error(), "\n", " "), key)
}

// kept is the client that KEEP asks for.
var kept *s3.Client

// connect makes a new configuration each time, because a client reads the credentials file once.
func connect(ctx context.Context) (*s3.Client, error) {
	if kept != nil {
		return kept, nil
	}
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithRetryMaxAttempts(1),
		config.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	if err != nil {
		return nil, err
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	if os.Getenv("KEEP") != "" {
		kept = client
	}
	return client, nil
}

func read(ctx context.Context, bucket string) (objects int, key string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client, err := connect(ctx)
	if err != nil {
		return 0, "", err
	}
	credentials, err := client.Options().Credentials.Retrieve(ctx)
	if err != nil {
		return 0, "", err
	}
	key = credentials.AccessKeyID[max(0, len(credentials.AccessKeyID)-4):]
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, key, err
		}
		objects += len(page.Contents)
	}
	return objects, key, nil
}
