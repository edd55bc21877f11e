#!/usr/bin/env python3
"""Simulates uploads, Pub/Sub, Cloud Run and Cloud Storage, and prints the tables of deploy/SCALE.md.

usage: tests/scale/simulate.py              the tables
       tests/scale/simulate.py --check      exit 1 if deploy/SCALE.md has others
       tests/scale/simulate.py --run NAME=VALUE ...   one run, as JSON; the names are those of Parameters

A discrete-event simulation. Where there are many uploads, a slice of the whole is simulated: so many times fewer uploads,
instances, pushes and writes, but each as it is. Every run has the same seed. What each number comes from is said beside
it; "assumed" means that Google publishes none.
"""
import collections
import dataclasses
import heapq
import json
import math
import pathlib
import random
import sys


@dataclasses.dataclass
class Parameters:
    rate: float = 10  # uploads a second
    renditions: int = 1
    cpu: float = 0.0147  # CPU-seconds of an event: a 12 MP baseline JPEG, README.md
    cpu_rendition: float = 0.004  # of each further rendition: 400 to 800 pixels, assumed between tests/bench's classes
    waits: float = 0.12  # an event's time for Cloud Storage, which takes no CPU: an open and a write, assumed
    concurrency: int = 16  # deploy/variables.tf
    max_instances: int = 10  # deploy/variables.tf
    start: float = 2.0  # until a new instance takes requests: image and process (7 ms, README.md), assumed
    autoscale: float = 5.0  # the autoscaler's interval, assumed
    target: float = 0.6  # CPU and concurrency that it aims at: cloud.google.com/run/docs/about-instance-autoscaling
    pending: float = 10.0  # a request waits so long for an instance, then it is answered 429: same page
    window: int = 5  # Pub/Sub's first push window, "single-digit": cloud.google.com/pubsub/docs/push
    window_linear: int = 3000  # from here it grows linearly: same page
    window_step: int = 100  # by so much for each window's worth of acknowledgements, assumed
    writes: float = 1000.0  # a bucket's first writes a second: cloud.google.com/storage/docs/request-rate
    writes_double: float = 1200.0  # the fastest that they should double, in seconds: same page
    retry: float = 10.0  # the subscription's first retry, deploy/pubsub.tf; doubles to 600 s
    outage: float = 0.0  # Cloud Storage answers 503 for so long, from the start of the measured time
    warm: float = 0.0  # seconds of the same load before it
    seconds: float = 600.0  # measured
    initial: int = 0  # messages that wait at the start
    slice: int = 1  # one in so many is simulated


class Message:
    __slots__ = ("born", "attempts", "pushed", "waits")

    def __init__(self, born):
        self.born, self.attempts, self.pushed, self.waits = born, 0, 0.0, False


class Instance:
    """One CPU, shared evenly by what is being rendered; what waits for storage takes none."""

    __slots__ = ("ready_at", "inside", "cpu_free_at", "leaves")

    def __init__(self, ready_at):
        self.ready_at, self.inside, self.cpu_free_at, self.leaves = ready_at, 0, ready_at, False

    def takes(self, now, concurrency):
        return self.ready_at <= now and self.inside < concurrency and not self.leaves


class Simulation:
    def __init__(self, parameters):
        self.p = p = parameters
        self.rate, self.most = p.rate / p.slice, max(1, p.max_instances // p.slice)
        self.linear, self.capacity = p.window_linear / p.slice, p.writes / p.slice
        self.random = random.Random(16)
        self.now, self.number, self.due = 0.0, 0, []
        self.backlog = collections.deque()
        self.queue = collections.deque()  # pushed, and without an instance
        self.window, self.outstanding, self.retrying, self.waiting = float(p.window), 0, 0, 0
        self.latency, self.acked = 0.0, 1.0  # moving averages, as Pub/Sub looks at them
        self.instances, self.busy, self.looked, self.instance_seconds = [], 0.0, 0.0, 0.0
        self.written, self.second = 0, 0
        self.end = p.warm + p.seconds
        self.mended = p.warm + p.outage
        self.latencies, self.pushes, self.refused, self.throttled, self.done = [], [], 0, 0, 0
        self.most_instances, self.most_backlog, self.prompt, self.old = 0, 0, 0.0, 0.0

    def later(self, delay, what, message=None):
        self.number += 1
        heapq.heappush(self.due, (self.now + delay, self.number, what, message))

    def run(self):
        self.backlog.extend(Message(0.0) for _ in range(self.p.initial))
        self.later(0, self.arrive)
        self.later(self.p.autoscale, self.scale)
        limit = self.end + 48 * 3600
        while self.due and self.now < limit:
            self.now, _, what, message = heapq.heappop(self.due)
            what(message)
            if self.now >= self.end and not self.left():
                break
        return self.result()

    def left(self):
        return len(self.backlog) + self.outstanding + self.retrying

    # Uploads, and Pub/Sub.

    def arrive(self, _):
        self.backlog.append(Message(self.now))
        self.push()
        self.most_backlog = max(self.most_backlog, len(self.backlog) + self.waiting + self.retrying)
        if self.now < self.end:
            self.later(self.random.expovariate(self.rate), self.arrive)

    def again(self, message):
        self.retrying -= 1
        self.backlog.append(message)
        self.push()

    def push(self):
        while self.backlog and self.outstanding < self.window:
            message = self.backlog.popleft()
            message.attempts += 1
            message.pushed, message.waits = self.now, True
            self.outstanding += 1
            self.waiting += 1
            self.queue.append(message)
            self.later(self.p.pending, self.give_up, (message, message.attempts))
        self.place()

    def answered(self, message, good):
        self.outstanding -= 1
        self.latency += 0.02 * (self.now - message.pushed - self.latency)
        self.acked += 0.02 * (good - self.acked)
        if not good:
            self.window = max(self.p.window, self.window - 1)
            delay = min(600.0, self.p.retry * 2 ** (message.attempts - 1))
            self.retrying += 1
            self.later(delay * self.random.uniform(0.9, 1.1), self.again, message)
        elif self.window < self.linear:
            self.window += 1
        elif self.latency < 1.0 and self.acked > 0.99:
            self.window += self.p.window_step / self.p.slice / self.window
        else:
            self.window = self.linear
        self.push()

    # Cloud Run.

    def place(self):
        while self.waiting:
            free = [i for i in self.instances if i.takes(self.now, self.p.concurrency)]
            if not free:
                if not self.instances:
                    self.grow(1)
                return
            message = self.queue.popleft()
            if not message.waits:
                continue
            message.waits = False
            self.waiting -= 1
            instance = min(free, key=lambda i: i.inside)
            instance.inside += 1
            cpu = self.p.cpu + (self.p.renditions - 1) * self.p.cpu_rendition
            instance.cpu_free_at = max(self.now, instance.cpu_free_at) + cpu
            self.busy += cpu
            waits = self.p.waits * self.random.uniform(0.5, 1.5)
            self.later(instance.cpu_free_at - self.now + waits, self.finish, (message, instance))

    def give_up(self, pushed):
        message, attempt = pushed
        if message.waits and message.attempts == attempt:
            message.waits = False
            self.waiting -= 1
            self.refused += 1
            self.answered(message, False)

    def finish(self, placed):
        message, instance = placed
        instance.inside -= 1
        good = self.store()
        age = self.now - message.born
        if good:
            self.done += 1
            self.pushes.append(self.now - message.pushed)
            if message.born >= self.p.warm:
                self.latencies.append(age)
            if message.born > self.mended and age > 5:
                self.prompt = self.now - self.mended
            if message.born < self.mended or message.born == 0:
                self.old = self.now - self.mended
        self.answered(message, good)

    def scale(self, _):
        cpu = self.busy / (self.now - self.looked)
        self.busy, self.looked = 0.0, self.now
        self.instance_seconds += len(self.instances) * self.p.autoscale
        inside = sum(i.inside for i in self.instances) + self.waiting
        wanted = max(cpu / self.p.target, inside / (self.p.target * self.p.concurrency))
        wanted = min(self.most, max(1 if inside else 0, math.ceil(wanted)))
        self.grow(wanted - len(self.instances))
        # Those with the least to do take no more, and go when they have done it.
        for place, instance in enumerate(sorted(self.instances, key=lambda i: -i.inside)):
            instance.leaves = place >= wanted
        self.instances = [i for i in self.instances if i.inside or not i.leaves]
        self.place()
        if self.now < self.end or self.left():
            self.later(self.p.autoscale, self.scale)

    def grow(self, number):
        for _ in range(min(number, self.most - len(self.instances))):
            self.instances.append(Instance(self.now + self.p.start))
        self.most_instances = max(self.most_instances, len(self.instances))
        self.later(self.p.start, self.ready)

    def ready(self, _):
        self.place()

    # Cloud Storage.

    def store(self):
        if self.p.warm <= self.now < self.mended:
            return False
        if int(self.now) != self.second:
            if self.written > 0.9 * self.capacity:
                # The bucket is spread over more servers while it is near its limit.
                self.capacity *= 2 ** (1 / self.p.writes_double)
            self.written, self.second = 0, int(self.now)
        self.written += self.p.renditions
        if self.written > self.capacity:
            self.throttled += 1
            return False
        return True

    def result(self):
        ordered = sorted(self.latencies) or [0.0]
        part = lambda share: ordered[min(len(ordered) - 1, int(share * len(ordered)))]
        many = self.p.slice
        return {
            "instances": self.most_instances * many,
            "instance_hours_a_day": round(self.instance_seconds / self.now * 24 * many, 1),
            "p50": round(part(0.5), 3),
            "p99": round(part(0.99), 3),
            "window": round(self.window * many),
            "backlog": self.most_backlog * many,
            "throttled": self.throttled * many,
            "refused": self.refused * many,
            "done": self.done * many,
            "prompt": round(self.prompt),
            "old": round(self.old),
            "old_exact": self.old,
            "push_p50": sorted(self.pushes)[len(self.pushes) // 2] if self.pushes else 0.0,
        }


def simulate(**changes):
    return Simulation(Parameters(**changes)).run()


def duration(seconds):
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def needed(rate, renditions):
    """Instances at the autoscaler's target, and a reserve of a half to work a backlog off."""
    p = Parameters()
    cpu = rate * (p.cpu + (renditions - 1) * p.cpu_rendition)
    inside = rate * (p.waits + p.cpu)
    slices = slice_of(rate)
    return max(10, slices * math.ceil(1.5 * max(cpu / p.target, inside / (p.target * p.concurrency)) / slices))


def slice_of(rate):
    return max(1, rate // 100)


def bill(rate, renditions, instance_hours):
    """US dollars a day, by deploy/README.md's formula."""
    events = 86_400 * rate
    return instance_hours * 3600 * 0.00002525 + events * (0.0000004 + renditions * 0.000005 + 0.0000004)


def steady(grown):
    yield "| uploads a second | renditions | `max_instances` | instances, on average | p50 / p99 | most that waits | told 429 by storage | a day costs |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for rate in (10, 1000, 10_000):
        for renditions in (1, 4):
            most = needed(rate, renditions)
            writes = max(Parameters.writes, 2.0 * rate * renditions) if grown else Parameters.writes
            r = simulate(
                rate=rate, renditions=renditions, max_instances=most, writes=writes, slice=slice_of(rate), warm=120, seconds=300
            )
            yield (
                f"| {rate:,} | {renditions} | {most} | {r['instance_hours_a_day'] / 24:.0f} "
                f"| {duration(r['p50'])} / {duration(r['p99'])} | {r['backlog']:,} | {r['throttled']:,} "
                f"| ${bill(rate, renditions, r['instance_hours_a_day']):,.0f} |"
            )


def outages():
    yield "| uploads a second | renditions | most that waits | until new pictures are prompt again | until the last old one is done |"
    yield "| ---: | ---: | ---: | ---: | ---: |"
    for rate, renditions in ((10, 1), (10, 4), (1000, 1)):
        most, one_in = needed(rate, renditions), slice_of(rate) * (5 if rate > 100 else 1)
        r = simulate(
            rate=rate, renditions=renditions, max_instances=most, slice=one_in, warm=60, outage=3600, seconds=7200, writes=8000
        )
        yield f"| {rate:,} | {renditions} | {r['backlog']:,} | {duration(r['prompt'])} | {duration(r['old'])} |"


def tables():
    return {"grown": list(steady(True)), "sudden": list(steady(False)), "outages": list(outages())}


def main():
    if sys.argv[1:2] == ["--run"]:
        kinds = {field.name: field.type for field in dataclasses.fields(Parameters)}
        pairs = (argument.split("=", 1) for argument in sys.argv[2:])
        print(json.dumps(simulate(**{name: kinds[name](value) for name, value in pairs})))
        return 0
    page = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "SCALE.md"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    complaints = 0
    for name, rows in tables().items():
        table = "\n".join(rows)
        if sys.argv[1:2] != ["--check"]:
            print(f"{name}\n\n{table}\n")
        elif table not in text:
            complaints += 1
            print(f"simulate: deploy/SCALE.md has another table in place of\n{table}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
