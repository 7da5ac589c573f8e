// External Secrets Operator, with the commands and providers of its own release.
package main

import (
	"github.com/external-secrets/external-secrets/cmd/controller"
	_ "github.com/external-secrets/external-secrets/pkg/provider/register"
)

func main() {
	controller.Execute()
}
