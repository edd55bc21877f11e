"""The Markdown of the renditions' comparison: `renditions_report.py WORK` reads what renditions.py wrote."""

import json
import pathlib
import statistics
import sys

import fidelity
from renditions import FORMATS, SIZES, WAYS
from report import geometric_mean, table, verdict

NAMES = {"jpeg": "JPEG", "webp": "WebP", "png": "PNG"}
# CPU goals: at least so many times less than the Firebase extension's way and sharp's best.
GOALS = {"jpeg": (3.5, 1.6), "webp": (2.8, 1.25), "png": (1, 1)}
# Peak resident memory of a fresh process beyond the input.
LEAN_MB = 60
# Bytes in sum, of sharp's best.
MOST_BYTES = 1.06
# Fidelity before coding, in dB below sharp's, on every file.
LEAST_DB = -0.5


def cpu(results):
    print("## CPU of four renditions: ms, and times less than sharp's two ways (geometric mean; worst file)\n")
    rows = []
    for form in FORMATS:
        means, worst = {"extension": [], "best": []}, {"extension": {}, "best": {}}
        for name, files in results.items():
            by = {way: [made[form][way]["cpu_ms"] for made in files.values()] for way in WAYS}
            row = [f"{NAMES[form]}, {name}", f"{geometric_mean(by['ours']):.1f}"]
            for way in means:
                each = {file: theirs / ours for file, theirs, ours in zip(files, by[way], by["ours"], strict=True)}
                means[way].append(geometric_mean(each.values()))
                slowest = min(each, key=each.get)
                worst[way][f"{name}/{pathlib.Path(slowest).name}"] = each[slowest]
                row += [f"{geometric_mean(by[way]):.1f}", f"{means[way][-1]:.2f} ({each[slowest]:.2f})"]
            rows.append(row)
        extension, best = (geometric_mean(means[way]) for way in means)
        slowest = min(worst["best"], key=worst["best"].get)
        goals = GOALS[form]
        rows.append([
            f"**{NAMES[form]}, all classes**", "",
            "", f"**{extension:.2f}** (goal {goals[0]:g}: {verdict(extension >= goals[0])})",
            "", f"**{best:.2f}** (goal {goals[1]:g}: {verdict(best >= goals[1])}; "
            f"no source slower: {verdict(worst['best'][slowest] >= 1)})",
        ])  # fmt: skip
    table(["four renditions", "ours", "extension's way", "times", "sharp's best", "times"], rows)


def memory(results):
    print("## Peak memory of a fresh process beyond the input, MB (most of the class)\n")
    rows = []
    for name, files in results.items():
        for form in FORMATS:
            most = {way: max(made[form][way]["beyond_kb"] for made in files.values()) / 1024 for way in WAYS}
            cells = [f"{most[way]:.0f}" for way in WAYS]
            rows.append([f"{NAMES[form]}, {name}", cells[0], f"{LEAN_MB} {verdict(most['ours'] <= LEAN_MB)}", *cells[1:]])
    table(["four renditions", "ours", "goal", "extension's way", "sharp's best"], rows)


def closeness(work, results):
    """PSNR of every rendition against the full decode: {class: {format: {way: [[dB by size] by file]}}}."""
    near = {}
    for name, files in results.items():
        near[name] = {form: {way: [] for way in WAYS} for form in FORMATS}
        for file in map(pathlib.Path, files):
            for form in FORMATS:
                for way in WAYS:
                    near[name][form][way].append([psnr(work, name, form, way, file, size) for size in SIZES])
    return near


def psnr(work, name, form, way, file, size):
    made = fidelity.pixels(work / "made" / name / form / way / str(size) / file.name)
    sides = made.shape[1], made.shape[0]
    return fidelity.psnr(made, fidelity.expected(file, sides, work / "references" / f"renditions-{name}"))


def bytes_and_fidelity(results, near):
    print("## Bytes, as part of those of sharp's best, and PSNR against a full decode and a float Lanczos3 (dB, mean)\n")
    rows = []
    for form in FORMATS:
        for name, files in results.items():
            total = {way: sum(sum(made[form][way]["bytes"]) for made in files.values()) for way in WAYS}
            part = total["ours"] / total["best"]
            mean = {way: statistics.fmean(map(statistics.fmean, near[name][form][way])) for way in WAYS}
            row = [f"{NAMES[form]}, {name}", f"{total['ours'] / 1e3:.0f}", f"{part:.3f} {verdict(part <= MOST_BYTES)}"]
            row += [f"{mean[way]:.2f}" for way in WAYS]
            # What is coded without a loss is the next table's.
            rows.append([*row, "-" if form == "png" else verdict(mean["ours"] >= mean["best"])])
    table(["four renditions", "ours, kB", "of sharp's best", "ours, dB", "extension's way", "sharp's best", "no lower"], rows)


def before_coding(results, near):
    print("## Fidelity before coding, from the PNGs: PSNR in dB by size (mean), and ours less sharp's best (worst file)\n")
    rows = []
    for name, files in results.items():
        for n, size in enumerate(SIZES):
            by = {way: [each[n] for each in near[name]["png"][way]] for way in ("ours", "best")}
            behind = {file: a - b for file, a, b in zip(files, by["ours"], by["best"], strict=True)}
            worst = min(behind, key=behind.get)
            cells = [f"{statistics.fmean(by[way]):.2f}" for way in by]
            last = f"{behind[worst]:+.2f} {pathlib.Path(worst).name} {verdict(behind[worst] >= LEAST_DB)}"
            rows.append([f"{name}, {size}", *cells, last])
    table(["class, size", "ours", "sharp's best", "difference"], rows)


def main():
    work = pathlib.Path(sys.argv[1])
    results = json.loads((work / "renditions.json").read_text())
    cpu(results)
    memory(results)
    near = closeness(work, results)
    bytes_and_fidelity(results, near)
    before_coding(results, near)


if __name__ == "__main__":
    main()
