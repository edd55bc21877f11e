"""The Markdown of a comparison: `report.py WORK [--formats]` reads what measure.py wrote."""

import json
import math
import pathlib
import statistics
import sys

import fidelity

PEERS = ("pillow", "sharp", "pyvips")
# CPU goals: at least so many times less than Pillow and sharp, in the geometric mean.
GOALS = {
    "jpeg-baseline": (2.5, 2.5),
    "jpeg-progressive": (15, 20),
    "jpeg-small": (2, 2),
    "png-rgb": (2.5, 1.5),
    "png-palette": (1, 1.3),
    "png-16-bit": (1, 1.3),
    "png-rgba": (1, 1.3),
    "png-interlaced": (1, 1.3),
}
# No file may be below this part of its class's goal.
LEAST = 0.7
# Peak resident memory of a fresh process beyond the input.
LEAN = ("jpeg-baseline", "jpeg-progressive", "png-rgb", "png-palette", "png-16-bit", "png-rgba")
LEAN_MB = 10


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("| --- |" + " ---: |" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def verdict(passed):
    return "pass" if passed else "**miss**"


def ratios(files, peer, key):
    """By file; a peer that can't read a file has no part in it."""
    return {file: by[peer][key] / by["ours"][key] for file, by in files.items() if peer in by}


def cpu(results):
    print("## CPU per thumbnail: times less than each peer (geometric mean; worst file)\n")
    rows = []
    for name, files in results.items():
        row, passed = [name, f"{geometric_mean([by['ours']['cpu_ms'] for by in files.values()]):.2f}"], True
        for peer in PEERS:
            each = ratios(files, peer, "cpu_ms")
            mean, worst = geometric_mean(each.values()), min(each, key=each.get)
            row.append(f"{mean:.2f} ({each[worst]:.2f} {worst})")
            if peer != "pyvips" and name not in GOALS:
                row.append("-")
            elif peer != "pyvips":
                goal = GOALS[name][PEERS.index(peer)]
                row.append(f"{goal:g} {verdict(mean >= goal and each[worst] >= LEAST * goal)}")
        rows.append(row)
    table(["class", "ours, ms", "vs Pillow", "goal", "vs sharp", "goal", "vs pyvips"], rows)


def memory(results):
    print("## Peak memory of a fresh process beyond the input, MB (most of the class)\n")
    rows = []
    for name, files in results.items():
        most = {peer: max(by[peer]["alone_kb"] for by in files.values() if peer in by) / 1024 for peer in ("ours", *PEERS)}
        goal = f"{LEAN_MB} {verdict(most['ours'] <= LEAN_MB)}" if name in LEAN else "-"
        rows.append([name, f"{most['ours']:.1f}", goal, *(f"{most[peer]:.0f}" for peer in PEERS)])
    table(["class", "ours", "goal", "Pillow", "sharp", "pyvips"], rows)


def closeness(work, results):
    """PSNR and SSIM of every thumbnail: {class: {file: {peer: (psnr, ssim)}}}."""
    found = {}
    for name, files in results.items():
        for file, by in files.items():
            references = {}
            for peer, figures in by.items():
                size = figures["out_w"], figures["out_h"]
                if size not in references:
                    references[size] = fidelity.expected(
                        work / "photographs" / name / file, size, work / "references" / name
                    )
                made = fidelity.pixels(work / "thumbnails" / name / peer / f"{file}.png")
                near = fidelity.psnr(made, references[size]), fidelity.ssim(made, references[size])
                found.setdefault(name, {}).setdefault(file, {})[peer] = near
    return found


def fidelities(near):
    print("## Fidelity against a full decode and a float Lanczos3: PSNR in dB (SSIM), mean of the class\n")
    rows = []
    for name, files in near.items():
        mean = {p: [statistics.fmean(by[p][k] for by in files.values() if p in by) for k in (0, 1)] for p in ("ours", *PEERS)}
        behind = {file: by["ours"][0] - by["sharp"][0] for file, by in files.items()}
        worst = min(behind, key=behind.get)
        passed = behind[worst] >= -0.5 and mean["ours"][0] > mean["sharp"][0]
        cells = [f"{mean[p][0]:.1f} ({mean[p][1]:.4f})" for p in ("ours", *PEERS)]
        rows.append([name, *cells, f"{behind[worst]:+.1f} {worst}", verdict(passed)])
    table(["class", "ours", "Pillow", "sharp", "pyvips", "ours less sharp's, worst file", "goal"], rows)
    overall = statistics.fmean(by["ours"][1] for files in near.values() for by in files.values())
    print(f"SSIM over everything: {overall:.4f} (goal 0.998: {verdict(overall >= 0.998)})\n")


def kind(png):
    """The kind of a PNG's pixels: its bit depth and colour type (ISO/IEC 15948, 11.2.1)."""
    with png.open("rb") as file:
        return file.read(26)[24:]


def comparable(work, name, files, peer):
    """The ratios of bytes where both thumbnails hold pixels of the same kind."""
    ours, theirs = (work / "thumbnails" / name / p for p in ("ours", peer))
    each = ratios(files, peer, "out_bytes").items()
    return [ratio for file, ratio in each if kind(ours / f"{file}.png") == kind(theirs / f"{file}.png")]


def sizes(work, results):
    print("## Output: bytes of Pillow's, sharp's and pyvips's files to ours (geometric mean; files compared)\n")
    rows, pillow = [], []
    for name, files in results.items():
        by = {peer: comparable(work, name, files, peer) for peer in PEERS}
        pillow += by["pillow"]
        means = (f"{geometric_mean(each):.2f}" if each else "-" for each in by.values())
        rows.append([name, *(f"{mean} ({len(each)} of {len(files)})" for mean, each in zip(means, by.values(), strict=True))])
    table(["class", "Pillow", "sharp", "pyvips"], rows)
    print("Only files whose PNG colour type and bit depth are those of ours are compared.\n")
    mean = geometric_mean(pillow)
    print(f"Against Pillow over {len(pillow)} files: {mean:.3f} (goal 1: {verdict(mean >= 1)})\n")


def hostile(files):
    print("## Hostile files: CPU of one, peak memory of a fresh process beyond that of one that refuses an empty file\n")
    rows = []
    for name, figures in files.items():
        ms, mb = figures["cpu_ms_min"], figures["beyond_kb"] / 1024
        most_ms, most_mb = (5, 1) if name.startswith("over-the-limit") else (1500, 256)
        goal = f"{most_ms}, {most_mb} {verdict(ms <= most_ms and mb <= most_mb)}"
        rows.append([name, figures.get("error", "rendered"), f"{ms:.1f}", f"{mb:.1f}", goal])
    table(["file", "outcome", "ms", "MB", "goal"], rows)


def main():
    work = pathlib.Path(sys.argv[1])
    results = json.loads((work / "results.json").read_text())
    if sys.argv[2:] == ["--formats"]:
        cpu(results)
        memory(results)
        return
    bad = results.pop("hostile")
    cpu(results)
    memory(results)
    fidelities(closeness(work, results))
    sizes(work, results)
    hostile(bad)


if __name__ == "__main__":
    main()
