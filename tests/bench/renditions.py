"""Runs `thumb` and sharp's two ways in turns, each making four renditions of a file, over every class and format.

`renditions.py WORK [--rounds N] [--reps N] [--only CLASS]...` writes WORK/renditions.json: {class: {file: {format: {way: figures}}}}.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

import photographs

HERE = pathlib.Path(__file__).resolve().parent
SIZES = (200, 400, 800, 1600)
FORMATS = ("jpeg", "webp", "png")
WAYS = ("ours", "extension", "best")


def pictures(work):
    """The files by class, out of those of photographs.py and some more."""
    more, had = work / "renditions", work / "photographs"
    sources = photographs.Sources(work / "wallpapers")
    twenty = more / "baseline" / "20mp-mosaic-q85-420.jpg"
    if not twenty.exists():
        twenty.parent.mkdir(parents=True, exist_ok=True)
        photographs.save(sources.mosaic(5472, 3648), twenty, "q85-420", False)
    for n, photo in enumerate(sources.photos[:4]):
        path = more / "1600x1200" / f"photo-{n}-q85-420.jpg"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            width = photo.height * 4 // 3
            photo = photo.crop(((photo.width - width) // 2, 0, (photo.width + width) // 2, photo.height))
            photographs.save(photo.resize((1600, 1200), photographs.Image.LANCZOS), path, "q85-420", False)
    return {
        "baseline": [*sorted((had / "jpeg-baseline").glob("12mp-*")), twenty],
        "progressive": sorted((had / "jpeg-progressive").glob("12mp-*")),
        "1600x1200": sorted((more / "1600x1200").iterdir()),
        "png": sorted((had / "png-rgb").glob("12mp-*")),
    }


# What a process has taken is told of those that it waited for; its own peak begins with that of what forked it.
MEASURE = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)
spent = resource.getrusage(resource.RUSAGE_CHILDREN)
json.dump([done.returncode, (spent.ru_utime + spent.ru_stime) * 1e3, spent.ru_maxrss, done.stdout.decode()], sys.stdout)
"""


def spent(command):
    """What a process prints, its CPU milliseconds and its peak memory in KiB."""
    process = subprocess.run([sys.executable, "-S", "-c", MEASURE, *map(str, command)], stdout=subprocess.PIPE, check=True)
    code, cpu_ms, maxrss_kb, printed = json.loads(process.stdout)
    if code:
        sys.exit(f"{' '.join(map(str, command))}: exit code {code}")
    return printed, cpu_ms, maxrss_kb


def ours(file, form, out, reps):
    """The whole process, once for each repetition."""
    quality = "" if form == "png" else "&quality=80"
    renditions = [f"--rendition={size}/{{name}}?size={size}x{size}&format={form}{quality}" for size in SIZES]
    command = [os.environ["THUMB"], "thumb", *renditions, "--out-dir", out, file]
    runs = [spent(command)[1:] for _ in range(reps)]
    return {"cpu_ms": statistics.median(ms for ms, _ in runs), "maxrss_kb": runs[0][1]}


def sharp(way, file, form, out, reps):
    sizes = ",".join(map(str, SIZES))
    line, _, _ = spent(["node", HERE / "sharp_renditions.js", file, way, form, sizes, reps, out])
    return json.loads(line)


def run(way, file, form, out, reps):
    return ours(file, form, out, reps) if way == "ours" else sharp(way, file, form, out, reps)


def in_turns(work, name, file, form, options):
    runs = {way: [] for way in WAYS}
    for _ in range(options.rounds):
        for way in WAYS:
            runs[way].append(run(way, file, form, work / "made" / name / form / way, options.reps))
    figures = {way: {"cpu_ms": min(run["cpu_ms"] for run in made)} for way, made in runs.items()}
    for way in WAYS:
        out = work / "made" / name / form / way
        figures[way]["bytes"] = [(out / str(size) / file.name).stat().st_size for size in SIZES]
        # sharp without a run before the measured one: a process that makes the renditions once.
        alone = run(way, file, form, work / "made" / "alone", 1 if way == "ours" else 0)
        figures[way]["beyond_kb"] = alone["maxrss_kb"] - file.stat().st_size / 1024
    return figures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--only", action="append", help="a class to measure; the others keep their last figures")
    options = parser.parse_args()
    stored = options.work / "renditions.json"
    results = json.loads(stored.read_text()) if options.only and stored.exists() else {}
    for name, files in pictures(options.work).items():
        if options.only and name not in options.only:
            continue
        print(name, file=sys.stderr)
        shutil.rmtree(options.work / "made" / name, ignore_errors=True)
        results[name] = {
            str(file): {form: in_turns(options.work, name, file, form, options) for form in FORMATS} for file in files
        }
    stored.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
