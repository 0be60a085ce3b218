// gorunc.go - every call of Debian's golang-github-containerd-go-runc-dev against a runtime; prints TAP without numbers.
//
// usage: gorunc RUNTIME ROOTFS.tar WORK      as root, in the namespaces of part.sh
//
// Each scenario has a bundle and ids of its own; one state directory for all, removed at the end.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/ioutil"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	runc "github.com/containerd/go-runc"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var (
	client *runc.Runc
	work   string
	ctx    = context.Background()
)

type scenario struct {
	name string
	run  func() error
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// want says what differs.
func want(ok bool, format string, arguments ...interface{}) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, arguments...)
}

func matches(err error, pattern string) error {
	if err == nil {
		return errors.New("no error, but it should be: " + pattern)
	}
	return want(regexp.MustCompile("(?i)"+pattern).MatchString(err.Error()), "no %q in: %v", pattern, err)
}

// bundle makes one that runs ARGS, from the runtime's own `spec`.
func bundle(id string, terminal bool, args ...string) string {
	var config map[string]interface{}

	dir := filepath.Join(work, "bundles", id)
	must(os.MkdirAll(dir, 0755))
	_ = os.Remove(filepath.Join(dir, "config.json"))
	command := exec.Command(client.Command, "spec")
	command.Dir = dir
	must(command.Run())
	data, err := ioutil.ReadFile(filepath.Join(dir, "config.json"))
	must(err)
	must(json.Unmarshal(data, &config))
	process := config["process"].(map[string]interface{})
	process["args"] = args
	process["terminal"] = terminal
	config["root"] = map[string]interface{}{"path": filepath.Join(work, "rootfs"), "readonly": true}
	config["linux"].(map[string]interface{})["cgroupsPath"] = "/go-runc/" + id
	data, err = json.Marshal(config)
	must(err)
	must(ioutil.WriteFile(filepath.Join(dir, "config.json"), data, 0644))
	return dir
}

// process is what `exec` runs.
func process(terminal bool, args ...string) specs.Process {
	return specs.Process{Terminal: terminal, Args: args, Cwd: "/", Env: []string{"PATH=/bin"}}
}

// created makes a container whose program waits for its start, and gives what removes it.
func created(id string, args ...string) (func(), error) {
	null, err := runc.NewNullIO()
	must(err)
	err = client.Create(ctx, id, bundle(id, false, args...), &runc.CreateOpts{IO: null, PidFile: filepath.Join(work, id+".pid")})
	return func() { _ = client.Delete(ctx, id, &runc.DeleteOpts{Force: true}) }, err
}

func running(id string, args ...string) (func(), error) {
	end, err := created(id, args...)
	if err == nil {
		err = client.Start(ctx, id)
	}
	return end, err
}

func status(id string) string {
	container, err := client.State(ctx, id)
	if err != nil {
		return err.Error()
	}
	return container.Status
}

func eventually(what func() bool) bool {
	for i := 0; i < 100; i++ {
		if what() {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

// collect starts to read both ends of pipes; what it gives waits for their end.
func collect(pipes runc.IO) func() (string, string) {
	type end struct{ out, err string }
	channel := make(chan end)
	go func() {
		var got end
		second := make(chan string)
		go func() {
			data, _ := ioutil.ReadAll(pipes.Stderr())
			second <- string(data)
		}()
		data, _ := ioutil.ReadAll(pipes.Stdout())
		got.out, got.err = string(data), <-second
		channel <- got
	}()
	return func() (string, string) { got := <-channel; return got.out, got.err }
}

// version: the library reads what begins with "runc version", so a runtime has to be called by that name.
func version() error {
	other := *client
	other.Command = filepath.Join(work, "runc")
	must(os.Symlink(client.Command, other.Command))
	got, err := other.Version(ctx)
	if err != nil {
		return err
	}
	return want(got.Runc != "" && got.Spec != "", "%+v", got)
}

func create() error {
	end, err := created("create", "sleep", "1000")
	defer end()
	if err != nil {
		return err
	}
	pid, err := runc.ReadPidFile(filepath.Join(work, "create.pid"))
	if err != nil {
		return err
	}
	container, err := client.State(ctx, "create")
	if err != nil {
		return err
	}
	return want(container.Status == "created" && container.Pid == pid && container.ID == "create" &&
		container.Bundle == filepath.Join(work, "bundles", "create") && time.Since(container.Created) < time.Hour, "%+v, pid %d", container, pid)
}

func createTwice() error {
	end, err := created("twice", "sleep", "1000")
	defer end()
	if err != nil {
		return err
	}
	_, err = created("twice", "sleep", "1000")
	return want(err != nil && status("twice") == "created", "%v", err)
}

func createNotFound() error {
	err := client.Create(ctx, "notfound", bundle("notfound", false, "no-such-command"), &runc.CreateOpts{})
	if err := matches(err, "executable file not found"); err != nil {
		return err
	}
	return matches(client.Delete(ctx, "notfound", nil), "exit status 1|does not exist")
}

func createPipes() error {
	pipes, err := runc.NewPipeIO(0, 0)
	if err != nil {
		return err
	}
	defer pipes.Close()
	if err := client.Create(ctx, "pipes", bundle("pipes", false, "sh", "-c", "cat; echo err >&2"), &runc.CreateOpts{IO: pipes}); err != nil {
		return err
	}
	defer client.Delete(ctx, "pipes", &runc.DeleteOpts{Force: true})
	ended := collect(pipes)
	if err := client.Start(ctx, "pipes"); err != nil {
		return err
	}
	_, _ = io.WriteString(pipes.Stdin(), "in\n")
	pipes.Stdin().Close()
	out, errs := ended()
	return want(out == "in\n" && errs == "err\n", "%q and %q", out, errs)
}

func createTerminal() error {
	socket, err := runc.NewTempConsoleSocket()
	if err != nil {
		return err
	}
	defer socket.Close()
	if err := client.Create(ctx, "terminal", bundle("terminal", true, "sh", "-c", "tty; sleep 1000"), &runc.CreateOpts{ConsoleSocket: socket}); err != nil {
		return err
	}
	defer client.Delete(ctx, "terminal", &runc.DeleteOpts{Force: true})
	master, err := socket.ReceiveMaster()
	if err != nil {
		return err
	}
	defer master.Close()
	if err := client.Start(ctx, "terminal"); err != nil {
		return err
	}
	data := make([]byte, 100)
	n, err := master.Read(data)
	if err != nil {
		return err
	}
	return want(strings.HasPrefix(string(data[:n]), "/dev/"), "%q", data[:n])
}

func createFiles() error {
	read, write, err := os.Pipe()
	must(err)
	null, err := runc.NewNullIO()
	must(err)
	err = client.Create(ctx, "files", bundle("files", false, "sh", "-c", "echo passed >&3"), &runc.CreateOpts{IO: null, ExtraFiles: []*os.File{write}})
	write.Close()
	if err != nil {
		return err
	}
	defer client.Delete(ctx, "files", &runc.DeleteOpts{Force: true})
	if err := client.Start(ctx, "files"); err != nil {
		return err
	}
	data, _ := ioutil.ReadAll(read)
	return want(string(data) == "passed\n", "%q", data)
}

func createNoNewKeyring() error {
	null, err := runc.NewNullIO()
	must(err)
	if err := client.Create(ctx, "keyring", bundle("keyring", false, "true"), &runc.CreateOpts{IO: null, NoNewKeyring: true}); err != nil {
		return err
	}
	return client.Delete(ctx, "keyring", &runc.DeleteOpts{Force: true})
}

func start() error {
	end, err := running("start", "sleep", "1000")
	defer end()
	if err != nil {
		return err
	}
	if status("start") != "running" {
		return errors.New(status("start"))
	}
	return want(client.Start(ctx, "start") != nil, "started twice")
}

func run() error {
	code, err := client.Run(ctx, "run", bundle("run", false, "sh", "-c", "exit 7"), &runc.CreateOpts{})
	var exit *runc.ExitError
	return want(code == 7 && errors.As(err, &exit) && exit.Status == 7, "%d, %v", code, err)
}

func runPipes() error {
	pipes, err := runc.NewPipeIO(0, 0)
	if err != nil {
		return err
	}
	defer pipes.Close()
	started := make(chan int, 1)
	ended := collect(pipes)
	code, err := client.Run(ctx, "runpipes", bundle("runpipes", false, "echo", "out"), &runc.CreateOpts{IO: pipes, Started: started})
	if closer, ok := pipes.(runc.StartCloser); ok {
		_ = closer.CloseAfterStart()
	}
	out, _ := ended()
	return want(code == 0 && err == nil && out == "out\n" && <-started > 0, "%d, %v, %q", code, err, out)
}

func runDetached() error {
	null, err := runc.NewNullIO()
	must(err)
	code, err := client.Run(ctx, "detached", bundle("detached", false, "sleep", "1000"),
		&runc.CreateOpts{IO: null, Detach: true, PidFile: filepath.Join(work, "detached.pid")})
	defer client.Delete(ctx, "detached", &runc.DeleteOpts{Force: true})
	return want(code == 0 && err == nil && status("detached") == "running", "%d, %v, %s", code, err, status("detached"))
}

func list() error {
	end, err := created("list", "sleep", "1000")
	defer end()
	if err != nil {
		return err
	}
	containers, err := client.List(ctx)
	if err != nil {
		return err
	}
	for _, one := range containers {
		if one.ID == "list" {
			return want(one.Status == "created" && one.Pid > 0 && one.Bundle != "" && one.Rootfs != "", "%+v", one)
		}
	}
	return errors.New("it is not in the list")
}

func stateMissing() error {
	_, err := client.State(ctx, "missing")
	return matches(err, "does not exist")
}

func execOutput() error {
	pipes, err := runc.NewPipeIO(0, 0)
	if err != nil {
		return err
	}
	defer pipes.Close()
	ended := collect(pipes)
	if err := client.Exec(ctx, "box", process(false, "sh", "-c", "echo out; echo err >&2"), &runc.ExecOpts{IO: pipes}); err != nil {
		return err
	}
	out, errs := ended()
	return want(out == "out\n" && errs == "err\n", "%q and %q", out, errs)
}

func execStatus() error {
	err := client.Exec(ctx, "box", process(false, "sh", "-c", "exit 7"), &runc.ExecOpts{})
	var exit *runc.ExitError
	return want(errors.As(err, &exit) && exit.Status == 7, "%v", err)
}

func execNotFound() error {
	return matches(client.Exec(ctx, "box", process(false, "no-such-command"), &runc.ExecOpts{}), "executable file not found")
}

func execDetached() error {
	null, err := runc.NewNullIO()
	must(err)
	file := filepath.Join(work, "exec.pid")
	if err := client.Exec(ctx, "box", process(false, "sleep", "999"), &runc.ExecOpts{IO: null, Detach: true, PidFile: file}); err != nil {
		return err
	}
	pid, err := runc.ReadPidFile(file)
	if err != nil {
		return err
	}
	var data []byte
	there := eventually(func() bool {
		data, _ = ioutil.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return bytes.HasPrefix(data, []byte("sleep\x00999"))
	})
	must(unix.Kill(pid, unix.SIGKILL))
	return firstOf(reap(pid), want(there, "%q", data))
}

// reap waits for a process that became ours: until then the container's first one can't end.
func reap(pid int) error {
	_, err := unix.Wait4(pid, nil, 0, nil)
	return err
}

func firstOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

func execTerminal() error {
	socket, err := runc.NewTempConsoleSocket()
	if err != nil {
		return err
	}
	defer socket.Close()
	file := filepath.Join(work, "terminal.pid")
	if err := client.Exec(ctx, "box", process(true, "tty"), &runc.ExecOpts{ConsoleSocket: socket, Detach: true, PidFile: file}); err != nil {
		return err
	}
	master, err := socket.ReceiveMaster()
	if err != nil {
		return err
	}
	defer master.Close()
	data := make([]byte, 100)
	n, err := master.Read(data)
	pid, reading := runc.ReadPidFile(file)
	if reading != nil {
		return reading
	}
	return firstOf(reap(pid), want(err == nil && strings.HasPrefix(string(data[:n]), "/dev/pts/"), "%q, %v", data[:n], err))
}

func ps() error {
	pids, err := client.Ps(ctx, "box")
	return want(err == nil && len(pids) == 1 && pids[0] > 0, "%v, %v", pids, err)
}

func top() error {
	got, err := client.Top(ctx, "box", "-eopid,args")
	if err != nil {
		return err
	}
	return want(len(got.Headers) == 2 && got.Headers[0] == "PID" && len(got.Processes) == 1 && strings.HasPrefix(got.Processes[0][1], "sleep"), "%+v", got)
}

// stats: the library reads from a pipe that it closes by itself when the runtime ends: whoever is quick may be too quick.
func stats() error {
	for i := 0; ; i++ {
		got, err := client.Stats(ctx, "box")
		if err == nil || i == 20 || !strings.Contains(err.Error(), "file already closed") {
			return want(err == nil && got != nil, "%v", err)
		}
	}
}

func events() error {
	stop, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	channel, err := client.Events(stop, "box", time.Second)
	if err != nil {
		return err
	}
	for event := range channel {
		if event.Err != nil {
			return event.Err
		}
		return want(event.Type == "stats" && event.ID == "box" && event.Stats != nil, "%+v", event)
	}
	return errors.New("no event came")
}

func pause() error {
	if err := client.Pause(ctx, "box"); err != nil {
		return err
	}
	return want(status("box") == "paused", status("box"))
}

func execPaused() error {
	err := client.Exec(ctx, "box", process(false, "true"), &runc.ExecOpts{})
	return want(err != nil, "exec in a paused container")
}

func resume() error {
	if err := client.Resume(ctx, "box"); err != nil {
		return err
	}
	return want(status("box") == "running", status("box"))
}

func update() error { return client.Update(ctx, "box", &specs.LinuxResources{}) }

func killZero() error { return client.Kill(ctx, "box", 0, nil) }

func killOne() error {
	end, err := running("kill", "sleep", "1000")
	defer end()
	if err != nil {
		return err
	}
	if err := client.Kill(ctx, "kill", int(unix.SIGKILL), nil); err != nil {
		return err
	}
	if !eventually(func() bool { return status("kill") == "stopped" }) {
		return errors.New(status("kill"))
	}
	return want(client.Kill(ctx, "kill", int(unix.SIGKILL), nil) != nil, "killed twice")
}

func killAll() error {
	end, err := running("killall", "sh", "-c", "sleep 500 & sleep 500")
	defer end()
	if err != nil {
		return err
	}
	if err := client.Kill(ctx, "killall", int(unix.SIGKILL), &runc.KillOpts{All: true}); err != nil {
		return err
	}
	return want(eventually(func() bool { return status("killall") == "stopped" }), status("killall"))
}

func deleteStopped() error {
	_, err := running("delete", "true")
	if err != nil {
		return err
	}
	if !eventually(func() bool { return status("delete") == "stopped" }) {
		return errors.New(status("delete"))
	}
	if err := client.Delete(ctx, "delete", nil); err != nil {
		return err
	}
	return matches(client.Delete(ctx, "delete", nil), "does not exist")
}

func deleteRunning() error {
	err := client.Delete(ctx, "box", nil)
	return want(err != nil && status("box") == "running", "%v, %s", err, status("box"))
}

func deleteForced() error {
	_, err := running("forced", "sleep", "1000")
	if err != nil {
		return err
	}
	if err := client.Delete(ctx, "forced", &runc.DeleteOpts{Force: true}); err != nil {
		return err
	}
	return client.Delete(ctx, "forced", &runc.DeleteOpts{Force: true}) // of a missing one: silence
}

func checkpointRefused() error {
	err := client.Checkpoint(ctx, "box", &runc.CheckpointOpts{ImagePath: filepath.Join(work, "checkpoint")})
	return want(err != nil && status("box") == "running", "%v, %s", err, status("box"))
}

func restoreRefused() error {
	code, err := client.Restore(ctx, "restored", bundle("restored", false, "true"), &runc.RestoreOpts{})
	_, there := client.State(ctx, "restored")
	return want((code != 0 || err != nil) && there != nil, "%d, %v", code, err)
}

func logged() error {
	other := *client
	other.Log, other.LogFormat = filepath.Join(work, "log.json"), runc.JSON
	if other.Start(ctx, "missing") == nil {
		return errors.New("no error")
	}
	data, err := ioutil.ReadFile(other.Log)
	if err != nil {
		return err
	}
	var line struct{ Level, Msg string }
	must(json.Unmarshal(data[:bytes.IndexByte(data, '\n')], &line))
	return want(line.Level == "error" && strings.Contains(line.Msg, "does not exist"), "%s", data)
}

func rootless() error {
	other, no := *client, false
	other.Rootless = &no
	_, err := other.List(ctx)
	return err
}

func nothingLeft() error {
	containers, err := client.List(ctx)
	if err != nil {
		return err
	}
	groups, _ := filepath.Glob("/sys/fs/cgroup/go-runc/*/cgroup.procs")
	return want(len(containers) == 0 && len(groups) == 0, "%d containers, %v", len(containers), groups)
}

func main() {
	work = os.Args[3]
	client = &runc.Runc{Command: os.Args[1], Root: filepath.Join(work, "state"), PdeathSignal: unix.SIGKILL, Setpgid: true}
	must(os.MkdirAll(filepath.Join(work, "rootfs"), 0755))
	must(exec.Command("tar", "-C", filepath.Join(work, "rootfs"), "-xf", os.Args[2]).Run())
	for _, name := range []string{"proc", "dev", "sys"} {
		must(os.MkdirAll(filepath.Join(work, "rootfs", name), 0755))
	}
	// As the library's users do: what loses its parent becomes ours.
	must(unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	end, err := running("box", "sleep", "1000")
	must(err)
	scenarios := []scenario{
		{"Version, called as runc", version}, {"Create, State, ReadPidFile", create}, {"Create: the same id twice", createTwice},
		{"Create: not found in PATH", createNotFound}, {"Create with pipes", createPipes},
		{"Create with a console socket", createTerminal}, {"Create with extra files", createFiles},
		{"Create without a new keyring", createNoNewKeyring}, {"Start", start}, {"Run: its exit code", run}, {"Run with pipes", runPipes},
		{"Run, detached", runDetached}, {"List", list}, {"State of a missing one", stateMissing}, {"Exec with pipes", execOutput},
		{"Exec: its exit code", execStatus}, {"Exec: not found in PATH", execNotFound}, {"Exec, detached", execDetached},
		{"Exec with a console socket", execTerminal}, {"Ps", ps}, {"Top", top}, {"Stats", stats}, {"Events", events},
		{"Pause", pause}, {"Exec in a paused one is refused", execPaused}, {"Resume", resume}, {"Update", update}, {"Kill with signal 0", killZero},
		{"Kill", killOne}, {"Kill all", killAll}, {"Delete", deleteStopped}, {"Delete is refused while it runs", deleteRunning},
		{"Delete by force", deleteForced}, {"Checkpoint is refused, the container goes on", checkpointRefused},
		{"Restore is refused, nothing stays", restoreRefused}, {"the log, as JSON", logged}, {"Rootless: false", rootless},
	}
	for _, one := range scenarios {
		report(one)
	}
	end()
	report(scenario{"nothing is left", nothingLeft})
}

// report prints one result; a panic is a failure of that scenario alone.
func report(one scenario) {
	defer func() {
		if what := recover(); what != nil {
			fmt.Printf("not ok - %s\n#   panic: %v\n", one.name, what)
		}
	}()
	if err := one.run(); err != nil {
		fmt.Printf("not ok - %s\n#   %s\n", one.name, strings.ReplaceAll(strconv.Quote(err.Error()), "\\n", "\n#   "))
		return
	}
	fmt.Printf("ok - %s\n", one.name)
}
