// Command caller is the AWS CLI of the pod in docs/quickstart.md: a static program for an image without any other file,
// with the one command of that pod and the output of the AWS CLI.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

type identity struct {
	UserID  *string `json:"UserId"`
	Account *string `json:"Account"`
	ARN     *string `json:"Arn"`
}

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "caller:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if !slices.Equal(args, []string{"sts", "get-caller-identity"}) {
		return fmt.Errorf("the only command is sts get-caller-identity, not %q", args)
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	caller, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return err
	}
	found := identity{UserID: caller.UserId, Account: caller.Account, ARN: caller.Arn}
	text, err := json.MarshalIndent(found, "", "    ")
	if err != nil {
		return err
	}
	fmt.Println(string(text))
	return nil
}
