#!/usr/bin/env python3
"""Lets the real service work off a backlog, and the simulation the same: how far can it be believed?

usage: tests/scale/against_service.py BINARY [--backlog N]

The backlog of an hour at 1,000 uploads a second, a thousandth of it (3,600 events), before one
instance on one CPU with a folder as its storage. What an event takes alone (its CPU and its wall time) is measured first
and given to the simulation; what is compared is what the simulation adds: the time to the end of the backlog, and the
latency of a push with 16 at a time. Prints a Markdown table. It needs Linux with two CPUs, otherwise idle.
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from simulate import Parameters, simulate

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALONE = 300
TICKS = os.sysconf("SC_CLK_TCK")


class Service:
    def __init__(self, binary, store):
        environment = {"PORT": "0", "TARGET_BUCKET": "thumbs", "STORAGE_DIR": str(store), "LOG_FORMAT": "json"}
        command = ["taskset", "--cpu-list", "0", str(binary)]
        self.process = subprocess.Popen(command, env={**environment, "PATH": os.environ["PATH"]}, stdout=subprocess.PIPE)
        self.port = int(json.loads(self.process.stdout.readline())["address"].rsplit(":", 1)[1])
        # A full pipe would stop the service.
        threading.Thread(target=lambda: [None for _ in self.process.stdout], daemon=True).start()
        self.local = threading.local()

    def push(self, number):
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        start = time.monotonic()
        self.local.connection.request("POST", "/", json.dumps({"bucket": "photos", "name": f"{number}.jpg"}))
        answer = self.local.connection.getresponse()
        answer.read()
        if answer.status != 204:
            raise SystemExit(f"event {number} is answered {answer.status}")
        return time.monotonic() - start

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def work_off(service, numbers):
    """As Pub/Sub would: a window that grows by each acknowledgement, up to what one instance takes."""
    most, begin, latencies = Parameters.concurrency, time.monotonic(), []
    window, lock = threading.Semaphore(Parameters.window), threading.Lock()
    grown = Parameters.window

    def one(number):
        nonlocal grown
        latency = service.push(number)
        with lock:
            latencies.append(latency)
            grows = grown < most
            grown += grows
        window.release(2 if grows else 1)

    with concurrent.futures.ThreadPoolExecutor(most) as pool:
        waiting, last = list(numbers), None
        for number in waiting:
            window.acquire()
            last = pool.submit(one, number)
        last.result()
    return time.monotonic() - begin, latencies


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--backlog", type=int, default=3600)
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {1})
    with tempfile.TemporaryDirectory(dir=ROOT / "target") as folder:
        photos = pathlib.Path(folder, "photos")
        photos.mkdir()
        picture = pathlib.Path(folder, "picture")
        picture.write_bytes((ROOT / "tests/photos/launch.jpg").read_bytes())
        for number in range(ALONE + chosen.backlog):
            os.link(picture, photos / f"{number}.jpg")
        service = Service(chosen.binary, folder)
        try:
            service.push(0)
            before = service.cpu()
            alone = [service.push(number) for number in range(1, ALONE)]
            cpu = (service.cpu() - before) / len(alone)
            before = service.cpu()
            seconds, latencies = work_off(service, range(ALONE, ALONE + chosen.backlog))
            cpu_together = (service.cpu() - before) / chosen.backlog
        finally:
            service.process.terminate()
            service.process.wait()
    waits = max(0.0, statistics.median(alone) - cpu)
    told = {"initial": chosen.backlog, "rate": 0.001, "cpu": cpu, "waits": waits, "max_instances": 1, "start": 0.0}
    told |= {"window_linear": Parameters.concurrency, "window_step": 0, "seconds": 1.0}
    run = simulate(**told)
    per_event = seconds / chosen.backlog
    print(f"load average {os.getloadavg()[0]:.1f}; alone: {1000 * cpu:.1f} ms of CPU, {1000 * waits:.1f} ms of waiting")
    print("| | the service | simulated |\n| --- | ---: | ---: |")
    print(f"| until {chosen.backlog:,} events are done | {seconds:.1f} s | {run['old_exact']:.1f} s |")
    print(f"| events a second | {1 / per_event:.0f} | {chosen.backlog / run['old_exact']:.0f} |")
    print(f"| CPU of an event, 16 at a time | {1000 * cpu_together:.1f} ms | {1000 * cpu:.1f} ms |")
    latency = statistics.median(latencies)
    print(f"| median of a push | {1000 * latency:.0f} ms | {1000 * run['push_p50']:.0f} ms |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
