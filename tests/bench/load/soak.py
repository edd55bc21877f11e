"""A soak: uploads, overwrites, duplicates and bombs for so many minutes, and then a look at every thumbnail."""

import concurrent.futures
import heapq
import itertools
import random
import statistics
import subprocess
import threading
import time

import servers
from cgroup import MemoryCgroup
from pictures import KINDS, bombs, photographs
from storage import Caller, Storage
from traffic import Event, Tally, deliver
from turns import LIMIT, OTHER_CPU, SERVICE_CPU

SOURCE, TARGET = "soak", "soak-thumbnails"
NAMES = 300
WORKERS = 8
SAMPLE_SECONDS = 5
# Deliveries come up to so much later than their upload, and so in any order.
LATE_SECONDS = 3
# Small ones mostly, as the load is to be moderate.
SHARES = dict(zip(KINDS, (14, 3, 1, 2), strict=True))


class Line:
    """Deliveries waiting for their time."""

    def __init__(self):
        self.heap, self.count, self.changed = [], itertools.count(), threading.Condition()
        self.open_events, self.closed = 0, False

    def put(self, event, delay):
        with self.changed:
            self.open_events += 1
            heapq.heappush(self.heap, (time.monotonic() + delay, next(self.count), event))
            self.changed.notify()

    def take(self):
        """The next event that is due, or nothing once the line is closed and all is acknowledged."""
        with self.changed:
            while not self.closed or self.open_events:
                wait = self.heap[0][0] - time.monotonic() if self.heap else 1
                if self.heap and wait <= 0:
                    return heapq.heappop(self.heap)[2]
                self.changed.wait(min(wait, 1))

    def done(self):
        with self.changed:
            self.open_events -= 1
            self.changed.notify_all()

    def close(self):
        with self.changed:
            self.closed = True
            self.changed.notify_all()


class Soak:
    """The uploads so far, and what the newest picture of each name is."""

    def __init__(self, work, storage_server, seed):
        self.random, self.storage, self.line = random.Random(seed), Storage(storage_server.port), Line()
        self.pictures = [p for kind, share in SHARES.items() for p in self._some(photographs(work, KINDS[kind]), share)]
        self.bombs = sorted(bombs(work).items())
        self.newest, self.sent = {}, []
        self.counts = dict.fromkeys(("uploads", "overwrites", "duplicates", "bombs"), 0)
        for bucket in (SOURCE, TARGET):
            self.storage.create_bucket(bucket)

    @staticmethod
    def _some(pictures, share):
        return itertools.islice(itertools.cycle(pictures), share)

    def step(self):
        """One upload, or a few of one name in a row, or an old event once more."""
        dice = self.random.random()
        if dice < 0.05:
            number = self.counts["bombs"]
            bomb, content = self.bombs[number % len(self.bombs)]
            self.counts["bombs"] += 1
            self._upload(f"bomb-{number % NAMES}-{bomb}", content, bomb=True)
        elif dice < 0.15 and self.sent:
            self.counts["duplicates"] += 1
            self.line.put(self.random.choice(self.sent), 0)
        else:
            number = self.random.randrange(NAMES)
            for _ in range(3 if dice > 0.9 else 1):
                index = self.random.randrange(len(self.pictures))
                name = f"picture-{number}.jpg"
                self.counts["overwrites"] += name in self.newest
                self.newest[name] = self._upload(name, self.pictures[index][1]), index

    def _upload(self, name, content, bomb=False):
        """Announces a new version, one time in five twice."""
        self.counts["uploads"] += 1
        event = Event(SOURCE, name, self.storage.put(SOURCE, name, content), len(content), bomb)
        for _ in range(2 if self.random.random() < 0.2 else 1):
            self.line.put(event, self.random.uniform(0, LATE_SECONDS))
        self.sent = [*self.sent[-999:], event]
        return event.generation

    def faults(self, renders):
        """The names whose thumbnail isn't that of their newest picture, and how it is not."""
        found = []
        for name, (generation, index) in self.newest.items():
            stored = self.storage.get(TARGET, f"thumbnails/{name}")
            if stored is None:
                found.append(f"{name}: lost")
            elif stored[1].get("source-generation") != str(generation) or stored[0] != renders[index]:
                found.append(f"{name}: of another picture")
        return found

    def renders(self, binary, folder):
        """The thumbnail that each picture is to have, made without any service."""
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / f"{n}{suffix}" for n, (suffix, _) in enumerate(self.pictures)]
        for file, (_, content) in zip(files, self.pictures, strict=True):
            file.write_bytes(content)
        subprocess.run([binary, "thumb", "--out-dir", folder, *files], check=True, stdout=subprocess.DEVNULL)
        return [(folder / f"{file.name}.png").read_bytes() for file in files]


def _work(line, port):
    """Delivers what is due until it is acknowledged."""
    tally, caller = Tally(), Caller(port)
    while event := line.take():
        start = time.monotonic()
        if not deliver(caller, event, tally.answers):
            line.put(event, 1)
        tally.seconds.append(time.monotonic() - start)
        line.done()
    return tally


def run(options):
    """Soaks, and returns the figures."""
    with servers.fake_gcs(options.fake_gcs, OTHER_CPU, options.log) as storage, MemoryCgroup(LIMIT) as group:
        soak = Soak(options.pictures, storage, options.seed)
        renders = soak.renders(options.binary, options.work / "soak")
        with servers.rust(options, storage, TARGET, SERVICE_CPU, options.log, group.path) as server:
            figures = _soak(options, soak, server)
            figures |= {"alive": server.runs(), "peak": server.memory("VmHWM"), "cpu": server.cpu_seconds()}
        figures |= {"faults": soak.faults(renders), "kills": group.kills(), "group_peak": group.peak()}
    return figures


def _soak(options, soak, server):
    start, samples, tally = time.monotonic(), [], Tally()
    end = start + options.soak * 60
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        futures = [pool.submit(_work, soak.line, server.port) for _ in range(WORKERS)]
        try:
            for n in itertools.count():
                due = start + n / options.rate
                if due >= end:
                    break
                time.sleep(max(0, due - time.monotonic()))
                soak.step()
                if time.monotonic() - start >= len(samples) * SAMPLE_SECONDS:
                    samples.append((time.monotonic() - start, server.memory("VmRSS")))
        finally:
            soak.line.close()
        for future in futures:
            tally.add(future.result())
    return {"minutes": options.soak, "names": len(soak.newest), "samples": samples, "work": vars(tally), **soak.counts}


def report(figures):
    """Markdown, and whether all is well."""
    work, samples = figures["work"], [mib for _, mib in figures["samples"]]
    fifths = [samples[len(samples) * n // 5 : len(samples) * (n + 1) // 5] for n in range(5)]
    medians = [statistics.median(fifth) for fifth in fifths if fifth]
    flat = medians[-1] <= medians[min(1, len(medians) - 1)] * 1.1
    answers = ", ".join(f"{count} x {answer}" for answer, count in sorted(work["answers"].items(), key=str))
    print(f"### Soak of {figures['minutes']:g} minutes in 512 MiB\n")
    print(f"- {figures['uploads']} uploads ({figures['overwrites']} overwrites, {figures['bombs']} bombs), and "
          f"{figures['duplicates']} old events once more; answers: {answers}")  # fmt: skip
    print(f"- {figures['names']} names, thumbnails that aren't their newest picture's: {len(figures['faults'])}")
    print(f"- RSS, median of each fifth of the time: {', '.join(f'{mib:.1f}' for mib in medians)} MiB "
          f"({'flat' if flat else '**grows**'}); peak {figures['peak']:.0f} MiB, killed: {figures['kills']}")  # fmt: skip
    print(f"- CPU: {figures['cpu']:.1f} s, {figures['cpu'] / sum(work['answers'].values()) * 1e3:.1f} ms per delivery")
    for fault in figures["faults"][:20]:
        print(f"- {fault}")
    return flat and figures["alive"] and not figures["faults"] and not figures["kills"]
