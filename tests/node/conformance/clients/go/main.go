// Asks STS who it is, once for each line of its input, with one client for as long as it lives.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

type answer struct {
	SDK   string `json:"sdk"`
	ARN   string `json:"arn,omitempty"`
	Key   string `json:"key,omitempty"`
	Error string `json:"error,omitempty"`
	Words string `json:"words,omitempty"`
}

func main() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	client := sts.NewFromConfig(cfg)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if err := json.NewEncoder(os.Stdout).Encode(ask(ctx, cfg, client)); err != nil {
			os.Exit(2)
		}
	}
}

func ask(ctx context.Context, cfg aws.Config, client *sts.Client) answer {
	said := answer{SDK: aws.SDKVersion}
	identity, err := client.GetCallerIdentity(ctx, nil)
	var refused smithy.APIError
	switch {
	case err == nil:
		said.ARN = aws.ToString(identity.Arn)
	case errors.As(err, &refused):
		said.Error = refused.ErrorCode()
	default:
		said.Error, said.Words = "NoCredentials", err.Error()
	}
	if used, err := cfg.Credentials.Retrieve(ctx); err == nil {
		said.Key = used.AccessKeyID[len(used.AccessKeyID)-4:]
	}
	return said
}
