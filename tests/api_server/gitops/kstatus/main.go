// What readers of a status make of an object: kstatus, as Flux and cli-utils have it, and a health
// script of Argo CD.
//
//	kstatus status          < objects   one JSON line for each
//	kstatus health SCRIPT   < objects   one JSON line for each
//	kstatus test DIRECTORY              runs DIRECTORY/health_test.yaml, in the format of Argo CD
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	flux "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	// Integers stay integers, as in every client of the API server.
	numbers "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	upstream "sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// status is what the two copies of kstatus compute for one object.
type status struct {
	Flux     string `json:"flux"`
	CliUtils string `json:"cliUtils"`
	Message  string `json:"message"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "status":
		return each(os.Stdin, func(object *unstructured.Unstructured) (any, error) {
			return compute(object)
		})
	case len(args) == 2 && args[0] == "health":
		script, err := os.ReadFile(args[1])
		if err != nil {
			return err
		}
		return each(os.Stdin, func(object *unstructured.Unstructured) (any, error) {
			return judge(string(script), object)
		})
	case len(args) == 2 && args[0] == "test":
		return test(args[1])
	default:
		return errors.New("say status, health SCRIPT or test DIRECTORY")
	}
}

// each reads a stream of YAML or JSON documents and prints what a function makes of each.
func each(input io.Reader, reader func(*unstructured.Unstructured) (any, error)) error {
	documents := yaml.NewYAMLOrJSONDecoder(input, 4096)
	output := json.NewEncoder(os.Stdout)
	for {
		var document json.RawMessage
		if err := documents.Decode(&document); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		object := map[string]any{}
		if err := numbers.Unmarshal(document, &object); err != nil {
			return err
		}
		if len(object) == 0 {
			continue
		}
		read, err := reader(&unstructured.Unstructured{Object: object})
		if err != nil {
			return err
		}
		if err := output.Encode(read); err != nil {
			return err
		}
	}
}

func compute(object *unstructured.Unstructured) (*status, error) {
	ofFlux, err := flux.Compute(object)
	if err != nil {
		return nil, err
	}
	ofUpstream, err := upstream.Compute(object)
	if err != nil {
		return nil, err
	}
	return &status{
		Flux:     ofFlux.Status.String(),
		CliUtils: ofUpstream.Status.String(),
		Message:  ofFlux.Message,
	}, nil
}

// decode reads one YAML document as Argo CD does, numbers as JSON has them.
func decode(path string, into any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096).Decode(into)
}
