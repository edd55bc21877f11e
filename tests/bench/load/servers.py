"""The processes of a benchmark: each started on a CPU of its own, and measured through /proc."""

import http.client
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
# What a container of 512 MiB leaves to pictures by default (src/memory.rs).
MEMORY_BUDGET = "348MiB"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A server that is its own session, so that its workers are found, and ended, with it."""

    def __init__(self, command, environment, port, cpu, log, health, cgroup=None):
        self.port = port
        enter = ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(cgroup / "cgroup.procs")] if cgroup else []
        command = ["taskset", "--cpu-list", str(cpu), *enter, *command]
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment}
        with open(log, "ab") as out:
            start = time.perf_counter()
            self.process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, start_new_session=True)
        try:
            self._wait(health)
        except BaseException:
            self.stop()
            raise
        self.first_200 = time.perf_counter() - start

    def _wait(self, path):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if get(self.port, path) == 200:
                    return
            except OSError:
                pass
            time.sleep(0.001)
        raise SystemExit(f"{self.process.args} doesn't answer {path} with 200 (ended: {self.process.poll()})")

    def processes(self):
        """The ids of all processes of this server."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                session = int(_stat(folder.name)[3])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if session == self.process.pid:
                found.append(folder.name)
        return found

    def cpu_seconds(self):
        """User and system time so far."""
        return sum(sum(map(int, _stat(process)[11:13])) for process in self.processes()) / TICKS

    def memory(self, key):
        """`VmRSS`, or `VmHWM` for the most so far, in MiB and summed over the processes."""
        return sum(_status(process, key) for process in self.processes()) / 1024

    def runs(self):
        return self.process.poll() is None

    def stop(self):
        """Ends it, at once where it doesn't end by itself."""
        for number, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(seconds)
                return
            except subprocess.TimeoutExpired:
                pass
            except ProcessLookupError:
                self.process.wait(seconds)
                return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()


def _stat(process):
    """The fields of /proc/PID/stat from the third on; the second may hold spaces."""
    return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()


def _status(process, key):
    lines = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{key}:")), 0)


def fake_gcs(executable, cpu, log):
    port = free_port()
    command = [executable, "-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-port", str(port)]
    command += ["-log-level", "error"]
    return Server(command, {}, port, cpu, log, "/storage/v1/b?project=bench")


def _image_environment():
    """What the image sets for the program."""
    dockerfile = pathlib.Path(__file__).resolve().parents[3] / "Dockerfile"
    return dict(re.findall(r"^ENV (\w+)=(\S+)$", dockerfile.read_text(), re.MULTILINE))


def rust(options, storage, bucket, cpu, log, cgroup=None):
    port = free_port()
    environment = _image_environment() | {
        "PORT": str(port),
        "TARGET_BUCKET": bucket,
        "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{storage.port}",
        "MEMORY_BUDGET": MEMORY_BUDGET,
        "LOG_FORMAT": "json",
    }
    return Server([options.binary], environment, port, cpu, log, "/health", cgroup)


def python(options, storage, bucket, cpu, log, cgroup=None):
    """One worker with 8 threads, as Google's container guide for functions-framework has it."""
    port = free_port()
    environment = {"TARGET_BUCKET": bucket, "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{storage.port}"}
    source = pathlib.Path(__file__).resolve().parent.parent / "python-service/main.py"
    command = [f"{options.venv}/bin/gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "8"]
    command += ["--timeout", "0", "--no-control-socket", f"functions_framework:create_app('push', '{source}')"]
    return Server(command, environment, port, cpu, log, "/health", cgroup)


SERVICES = {"rust": rust, "python": python}
