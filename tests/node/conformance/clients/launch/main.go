// Command launch starts a client in a container and lets the test speak to it from the node.
//
//	launch --install DIR          puts itself into DIR, from where other containers start it
//	launch ASKS NAME PROGRAM ...  starts the program with the named pipe ASKS/NAME as its standard input
//
// A pipe, since kubelet gives a container no standard input of its own. It is open for writing here
// as well, so that the program never sees its end.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "launch:", err)
		os.Exit(2)
	}
}

func run(args []string) error {
	if len(args) == 2 && args[0] == "--install" {
		return install(args[1])
	}
	if len(args) < 3 {
		return fmt.Errorf("usage: launch --install DIR | launch ASKS NAME PROGRAM ...")
	}
	pipe := filepath.Join(args[0], args[1])
	if err := syscall.Mkfifo(pipe, 0o600); err != nil && !os.IsExist(err) {
		return fmt.Errorf("cannot make %s: %w", pipe, err)
	}
	asks, err := syscall.Open(pipe, syscall.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("cannot open %s: %w", pipe, err)
	}
	if err := syscall.Dup3(asks, 0, 0); err != nil {
		return err
	}
	program, err := exec.LookPath(args[2])
	if err != nil {
		return err
	}
	return syscall.Exec(program, args[2:], os.Environ())
}

func install(directory string) error {
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(directory, "launch"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	return to.Close()
}
