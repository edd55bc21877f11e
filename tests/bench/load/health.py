"""Asks GET /health every 20 ms, in a process of its own so that the load's threads don't stand in its way.

`health.py PORT` prints the latencies in seconds, and how many answers weren't 200, once its standard input is closed.
"""

import http.client
import json
import pathlib
import subprocess
import sys
import threading
import time

from storage import Caller


class Health:
    """The process that asks."""

    def __init__(self, port):
        self.command = [sys.executable, str(pathlib.Path(__file__).resolve()), str(port)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self.found = json.loads(self.process.communicate("", timeout=120)[0])


def main():
    caller, over = Caller(int(sys.argv[1]), timeout=60), threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    seconds, failed = [], 0
    while not over.wait(0.02):
        start = time.monotonic()
        try:
            failed += caller.call("GET", "/health")[0] != 200
        except (OSError, http.client.HTTPException):
            failed += 1
        seconds.append(time.monotonic() - start)
    print(json.dumps({"seconds": seconds, "failed": failed}))


if __name__ == "__main__":
    main()
