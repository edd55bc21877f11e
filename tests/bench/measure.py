"""Runs ours and the peers in turns over every class, and each file once in a process of its own.

`measure.py WORK [--rounds N] [--reps N] [--min-ms M] [--only CLASS]...` writes WORK/results.json: {class: {file: {peer: figures}}}.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import hostile

HERE = pathlib.Path(__file__).resolve().parent
PEERS = {
    "ours": [os.environ["RENDER_BENCH"]],
    "pillow": [sys.executable, str(HERE / "peers.py"), "pillow"],
    "sharp": ["node", str(HERE / "sharp_peer.js")],
    "pyvips": [sys.executable, str(HERE / "peers.py"), "pyvips"],
}


def run(peer, folder, *options):
    """The JSON lines of one run. A shell in between: a child's peak RSS starts with that of the process that forks it."""
    command = ["sh", "-c", '"$@"; exit $?', "sh", *PEERS[peer], str(folder), *map(str, options)]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


def in_turns(work, folder, rounds, reps, min_ms):
    figures = {}
    for n in range(rounds):
        for peer in PEERS:
            options = ["--reps", reps, "--min-ms", min_ms]
            options += ["--out", work / "thumbnails" / folder.name / peer] if n == 0 else []
            for line in run(peer, folder, *options):
                if "error" in line:
                    print(f"{peer} fails at {folder.name}/{line['file']}: {line['error']}", file=sys.stderr)
                    continue
                figures.setdefault(line["file"], {}).setdefault(peer, []).append(line)
    return {
        file: {peer: {**lines[0], "cpu_ms": min(l["cpu_ms_median"] for l in lines)} for peer, lines in by.items()}
        for file, by in figures.items()
    }


def alone(peer, file, *options):
    """Figures of one file in a process that renders nothing else, and renders it twice at most."""
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(file.resolve(), pathlib.Path(folder) / file.name)
        return run(peer, folder, "--reps", 1, "--min-ms", 0, *options)[0]


def hostile_files(work):
    """Figures of hostile files, with the memory that they take beyond what a process has that refuses an empty file."""
    empty = work / "empty"
    empty.write_bytes(b"")
    least = statistics.median(alone("ours", empty)["maxrss_kb"] for _ in range(9))
    files = {file.name: alone("ours", file, "--max-pixels", 250_000_000) for file in hostile.make(work / "hostile")}
    return {name: {**figures, "beyond_kb": figures["maxrss_kb"] - least} for name, figures in files.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--min-ms", type=float, default=20)
    parser.add_argument("--only", action="append", help="a class to measure; the others keep their last figures")
    parser.add_argument("--formats", action="store_true", help="photographs only")
    options = parser.parse_args()
    stored = options.work / "results.json"
    results = json.loads(stored.read_text()) if options.only and stored.exists() else {}
    for folder in sorted(f for f in (options.work / "photographs").iterdir() if f.is_dir()):
        if options.only and folder.name not in options.only:
            continue
        print(folder.name, file=sys.stderr)
        shutil.rmtree(options.work / "thumbnails" / folder.name, ignore_errors=True)
        results[folder.name] = in_turns(options.work, folder, options.rounds, options.reps, options.min_ms)
        for file, by in results[folder.name].items():
            path = folder / file
            for peer, figures in by.items():
                figures["alone_kb"] = alone(peer, path)["maxrss_kb"] - path.stat().st_size / 1024
    if not options.formats:
        results["hostile"] = hostile_files(options.work)
    stored.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
