package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// health is what a script returns.
type health struct {
	Status  string `json:"status"`
	Message string `json:"message,omitempty"`
}

// suite is a health_test.yaml.
type suite struct {
	Tests []struct {
		HealthStatus health `json:"healthStatus"`
		InputPath    string `json:"inputPath"`
	} `json:"tests"`
}

// valid are the states that Argo CD knows.
var valid = []string{"Unknown", "Progressing", "Healthy", "Suspended", "Degraded", "Missing"}

// judge runs a script under Argo CD's restrictions for scripts without `useOpenLibs`: a second of
// time, the base, package and table libraries alone, so that there is no string library either. Of
// its own os library nothing is offered here.
func judge(script string, object *unstructured.Unstructured) (*health, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	libraries := []struct {
		name string
		open lua.LGFunction
	}{
		{lua.LoadLibName, lua.OpenPackage},
		{lua.BaseLibName, lua.OpenBase},
		{lua.TabLibName, lua.OpenTable},
	}
	for _, library := range libraries {
		state.Push(state.NewFunction(library.open))
		state.Push(lua.LString(library.name))
		state.Call(1, 0)
	}
	deadline, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	state.SetContext(deadline)
	state.SetGlobal("obj", value(state, object.Object))
	if err := state.DoString(script); err != nil {
		return nil, err
	}
	returned, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return nil, fmt.Errorf("the script returned a %s", state.Get(-1).Type())
	}
	result := &health{Status: text(returned, "status"), Message: text(returned, "message")}
	if !slices.Contains(valid, result.Status) {
		return nil, fmt.Errorf("the script returned the status %q", result.Status)
	}
	return result, nil
}

func text(table *lua.LTable, key string) string {
	if value := table.RawGetString(key); value != lua.LNil {
		return value.String()
	}
	return ""
}

func value(state *lua.LState, from any) lua.LValue {
	switch from := from.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, inner := range from {
			table.RawSetString(key, value(state, inner))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, inner := range from {
			table.Append(value(state, inner))
		}
		return table
	case string:
		return lua.LString(from)
	case bool:
		return lua.LBool(from)
	case float64:
		return lua.LNumber(from)
	case int64:
		return lua.LNumber(from)
	default:
		return lua.LNil
	}
}

// test compares what the script says of each input with what the suite expects.
func test(directory string) error {
	var tests suite
	if err := decode(filepath.Join(directory, "health_test.yaml"), &tests); err != nil {
		return err
	}
	if len(tests.Tests) == 0 {
		return errors.New("health_test.yaml has no tests")
	}
	script, err := readScript(directory)
	if err != nil {
		return err
	}
	var failures []error
	for _, test := range tests.Tests {
		object := map[string]any{}
		if err := decode(filepath.Join(directory, test.InputPath), &object); err != nil {
			return err
		}
		found, err := judge(script, &unstructured.Unstructured{Object: object})
		switch {
		case err != nil:
			failures = append(failures, fmt.Errorf("%s: %w", test.InputPath, err))
		case *found != test.HealthStatus:
			failures = append(failures, fmt.Errorf("%s: expected %q, found %q", test.InputPath, test.HealthStatus, *found))
		default:
			fmt.Println("ok", test.InputPath, found.Status)
		}
	}
	return errors.Join(failures...)
}

func readScript(directory string) (string, error) {
	script, err := os.ReadFile(filepath.Join(directory, "health.lua"))
	return string(script), err
}
