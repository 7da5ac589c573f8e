// Reads a dashboard with the types that Grafana generates from its schemas, and prints every field that has another
// type, is unknown or is missing.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	if err := read(os.Args[1]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func read(file string) error {
	// Without the plugins, the options of panels could have any fields.
	plugins.RegisterDefaultPlugins()
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var read dashboard.Dashboard
	// Where everything is right, the error is an empty list.
	if err := read.UnmarshalJSONStrict(content); err != nil && err.Error() != "" {
		return err
	}
	return read.Validate()
}
