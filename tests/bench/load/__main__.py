"""The benchmark's command line; `tests/bench/service` calls it with everything at hand."""

import argparse
import json
import os
import pathlib
import signal
import sys

import report
import servers
import soak
import turns
from pictures import Uploaded


def options():
    parser = argparse.ArgumentParser()
    for name in ("binary", "fake-gcs", "venv", "pictures", "work"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=float, default=10, help="length of each phase")
    parser.add_argument("--only", action="append", choices=turns.PARTS, help="the others keep their last figures")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="a soak instead")
    parser.add_argument("--rate", type=float, default=5, help="steps of the soak in a second")
    parser.add_argument("--seed", type=int, default=1)
    found = parser.parse_args()
    found.work.mkdir(parents=True, exist_ok=True)
    found.log = found.work / "services.log"
    return found


def main():
    chosen = options()
    # An end from outside is an exit like any other: the servers end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.sched_setaffinity(0, {turns.OTHER_CPU})
    if chosen.soak:
        figures = soak.run(chosen)
        (chosen.work / "soak.json").write_text(json.dumps(figures))
        return 0 if soak.report(figures) else 1
    stored = chosen.work / "service.json"
    results = json.loads(stored.read_text()) if chosen.only and stored.exists() else {}
    results["sizes"] = report.sizes(chosen)
    with servers.fake_gcs(chosen.fake_gcs, turns.OTHER_CPU, chosen.log) as storage:
        uploaded = Uploaded(chosen.pictures, storage)
        for part in chosen.only or turns.PARTS:
            results[part] = turns.PARTS[part](chosen, storage, uploaded)
            results[part]["load"] = os.getloadavg()[0]
            stored.write_text(json.dumps(results))
    report.write(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
