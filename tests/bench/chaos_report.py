"""The table of tests/bench/chaos: what happened, and the instances' peak memory by fifths of the time."""

import pathlib
import re
import statistics
import sys


def main():
    logs = sorted(pathlib.Path(sys.argv[1]).glob("slice-*.done"), key=lambda log: int(re.search(r"\d+", log.stem)[0]))
    texts = [log.read_text() for log in logs]
    whole = "\n".join(texts)

    def total(pattern):
        return sum(int(number) for number in re.findall(pattern, whole))

    peaks = [int(peak) / 1024 for text in texts for peak in re.findall(r"peak (\d+) KiB", text)]
    fifths = [peaks[len(peaks) * n // 5 : len(peaks) * (n + 1) // 5] for n in range(5)]
    medians = [statistics.median(fifth) if fifth else 0.0 for fifth in fifths]
    begun, ended = total(r"of (\d+) reconciles"), total(r"chaos: (\d+) of")
    rows = {
        "runs, each ended exactly right": len(re.findall(r"chaos: run of", whole)),
        "instances killed": len(re.findall(r"is killed", whole)),
        "instances terminated": len(re.findall(r"is terminated", whole)),
        "reconciles beside, of them killed": f"{begun}, {ended}",
        "answers of 503": total(r"chaos: (\d+) answers of 503"),
        "requests broken off": total(r"chaos: (\d+) requests broken off"),
        "faults met in storage": total(r"chaos: (\d+) × "),
        "answers to deletes lost": total(r"chaos: (\d+) answers to deletes"),
        "peak memory of an instance, median by fifths": ", ".join(f"{mib:.0f}" for mib in medians) + " MiB",
        "the largest peak": f"{max(peaks, default=0):.0f} MiB",
        "killed for memory": sys.argv[2],
    }
    print("| | |\n| --- | ---: |")
    for what, found in rows.items():
        print(f"| {what} | {found} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
