"""The Markdown of a benchmark."""

import collections
import statistics

from traffic import Tally

NAMES = {"rust": "this service", "python": "Python"}
# Cloud Run's list prices in US dollars for CPU given while a request is open (tier 1): per vCPU second, GiB second and
# million requests. An instance is taken to be busy for 60 % of the time that it is paid for, at which Cloud Run scales.
CPU_PRICE, MEMORY_PRICE, REQUEST_PRICE, BUSY, GIB = 0.000024, 0.0000025, 0.40, 0.6, 0.5


def sizes(options):
    """MiB of what each service brings to its image, beside Python itself."""
    packages = sum(file.stat().st_size for file in (options.venv / "lib").rglob("*") if file.is_file())
    return {"rust": options.binary.stat().st_size / 2**20, "python": packages / 2**20}


def write(results):
    """Prints what there is of each part."""
    loads = {part: results[part].pop("load") for part in ("starts", "work", "latency", "limit") if part in results}
    print(f"Machine's load average after each part: {', '.join(f'{part} {load:.1f}' for part, load in loads.items())}.\n")
    if "work" in results:
        _throughput(results["work"])
        _cost(results["work"])
    if "latency" in results:
        _latencies("At a fixed rate", results["latency"], "at_rate")
        _latencies("80 at a time", results["latency"], "crowd")
    if "limit" in results:
        _limit(results["limit"])
    if "starts" in results:
        _process(results)


def _table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("| --- |" + " ---: |" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def _verdict(passed):
    return "met" if passed else "**missed**"


def _whole(turns, phase):
    """A phase of all turns as one tally."""
    whole = Tally()
    for turn in turns:
        whole.add(Tally(**turn[phase] | {"answers": collections.Counter(turn[phase]["answers"])}))
    return whole


def _per_cpu_second(turns):
    return _whole(turns, "work").thumbnails / sum(turn["cpu"] for turn in turns)


def _throughput(kinds):
    print("### Thumbnails per CPU-second\n")
    rows = []
    for kind, by in kinds.items():
        each = {service: _per_cpu_second(by[service]) for service in NAMES}
        pairs = zip(by["rust"], by["python"], strict=True)
        turns = [_per_cpu_second([ours]) / _per_cpu_second([theirs]) for ours, theirs in pairs]
        ratio = each["rust"] / each["python"]
        goal = f"{by['goal']:g} {_verdict(ratio >= by['goal'])}" if by["goal"] else "-"
        spread = " to ".join(f"{turn:.1f}" for turn in sorted(turns))
        rows.append([kind, f"{each['rust']:.1f}", f"{each['python']:.1f}", f"{ratio:.1f} ({spread})", goal])
    _table(["pictures", NAMES["rust"], NAMES["python"], "times (by turn)", "goal"], rows)


def _latencies(title, kinds, phase):
    print(f"### {title}: p50 / p99 in ms (answers that were 503; events)\n")
    rows = []
    for kind, by in kinds.items():
        row = [kind, f"{by['rate']:g}/s"] if phase == "at_rate" else [kind]
        for service in NAMES:
            tally = _whole(by[service], phase)
            row.append(f"{tally.latency(50):.0f} / {tally.latency(99):.0f} ({tally.answers[503]}; {len(tally.seconds)})")
        rows.append(row)
    _table(["pictures", *(["rate"] if phase == "at_rate" else []), *NAMES.values()], rows)
    lost = sum(turn[phase]["lost"] for by in kinds.values() for service in NAMES for turn in by[service])
    print(f"Acknowledged without a thumbnail: {lost}.\n")


def _process(results):
    print("### The process\n")
    starts, size = results["starts"], results["sizes"]
    first = {service: statistics.median(starts[service]) * 1e3 for service in NAMES}
    met = _verdict(first["rust"] <= 100 and first["python"] / first["rust"] >= 10)
    rows = [
        ["exec to first 200, ms (median)", *(f"{first[s]:.0f}" for s in NAMES), f"100, 10 x: {met}"],
        ["program and packages, MiB", *(f"{size[s]:.0f}" for s in NAMES), "-"],
    ]
    turns = {s: [turn for p in ("work", "latency") for by in results.get(p, {}).values() for turn in by[s]] for s in NAMES}
    if all(turns.values()):
        idle, peak = ({s: max(turn[what] for turn in turns[s]) for s in NAMES} for what in ("idle", "peak"))
        rows += [
            ["idle RSS, MiB (most)", *(f"{idle[s]:.1f}" for s in NAMES), f"20: {_verdict(idle['rust'] < 20)}"],
            ["peak RSS, MiB", *(f"{peak[s]:.0f}" for s in NAMES), "-"],
        ]
    _table(["", *NAMES.values(), "goal"], rows)


def _limit(found):
    print("### 80 at a time, one bomb in twenty, in 512 MiB\n")
    tallies = {s: _whole([found[s]], "work") for s in NAMES}
    health = {s: Tally(seconds=found[s]["health"]["seconds"]).latency(99) for s in NAMES}
    peak = {s: found[s]["peak"] for s in NAMES}
    safe = found["rust"]["alive"] and not found["rust"]["kills"]
    answers = {s: ", ".join(f"{n} x {a}" for a, n in sorted(tallies[s].answers.items(), key=str)) for s in NAMES}
    rows = [
        ["kinds of bombs", *(str(found[s]["bombs"]) for s in NAMES), "-"],
        ["`/health` p99, ms", *(f"{health[s]:.0f}" for s in NAMES), f"100: {_verdict(health['rust'] < 100)}"],
        ["`/health` failed", *(str(found[s]["health"]["failed"]) for s in NAMES), "-"],
        ["peak RSS, MiB", *(f"{peak[s]:.0f}" for s in NAMES), f"400: {_verdict(peak['rust'] < 400)}"],
        ["killed", *(str(found[s]["kills"]) for s in NAMES), f"0: {_verdict(safe)}"],
        ["answers", *(answers[s] for s in NAMES), "-"],
        ["thumbnails", *(str(tallies[s].thumbnails) for s in NAMES), "-"],
        ["never acknowledged", *(str(tallies[s].refused) for s in NAMES), "-"],
    ]
    _table(["", *NAMES.values(), "goal"], rows)


def _cost(kinds):
    print("### A million thumbnails on Cloud Run\n")
    print(f"`1e6 x C / {BUSY} x ({CPU_PRICE:f} + {GIB} x {MEMORY_PRICE:.7f}) + {REQUEST_PRICE:.2f}` US dollars, where C is")
    print(f"the CPU-seconds of one: one vCPU and {GIB:g} GiB, busy for {BUSY:.0%} of what is paid, at list prices; storage and")
    print("Pub/Sub not counted.\n")
    rows = []
    for kind, by in kinds.items():
        row = [kind]
        for service in NAMES:
            seconds = 1 / _per_cpu_second(by[service])
            dollars = 1e6 * seconds / BUSY * (CPU_PRICE + GIB * MEMORY_PRICE) + REQUEST_PRICE
            row += [f"{seconds * 1e3:.2f}", f"{dollars:.2f}"]
        rows.append(row)
    _table(["pictures", *(f"{name}, {what}" for name in NAMES.values() for what in ("C in ms", "$"))], rows)
