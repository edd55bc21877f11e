"""Events, and the ways to send them: so many at a time, or so many a second."""

import base64
import collections
import concurrent.futures
import dataclasses
import http.client
import itertools
import json
import queue
import random
import time

from storage import Caller, Storage

ATTEMPTS = 6


@dataclasses.dataclass(frozen=True)
class Event:
    """One version of one object, as Cloud Storage notifies of it."""

    bucket: str
    name: str
    generation: int
    size: int
    bomb: bool

    def push(self):
        """The body of Pub/Sub's push request."""
        resource = {"kind": "storage#object", "bucket": self.bucket, "name": self.name, "size": str(self.size)}
        # Cloud Storage always sends the whole resource, by its time: of one without, the service asks for the rest.
        resource |= {"generation": str(self.generation), "metageneration": "1", "timeCreated": "2026-01-01T00:00:00Z"}
        attributes = {"eventType": "OBJECT_FINALIZE", "payloadFormat": "JSON_API_V1", "bucketId": self.bucket}
        attributes |= {"objectId": self.name, "objectGeneration": str(self.generation)}
        text = base64.b64encode(json.dumps(resource).encode()).decode()
        message = {"attributes": attributes, "data": text, "messageId": "1", "publishTime": "2026-01-01T00:00:00Z"}
        return json.dumps({"message": message, "subscription": "projects/bench/subscriptions/bench"})


@dataclasses.dataclass
class Tally:
    """What came of a phase of traffic."""

    seconds: list = dataclasses.field(default_factory=list)
    answers: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    thumbnails: int = 0
    lost: int = 0
    refused: int = 0

    def add(self, other):
        self.seconds += other.seconds
        self.answers += other.answers
        self.thumbnails += other.thumbnails
        self.lost += other.lost
        self.refused += other.refused

    def latency(self, percent):
        """The latency that so many percent of the events stay under, in milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1e3 if ordered else float("nan")


def deliver(caller, event, answers):
    """Delivers as Pub/Sub does, again after a 503; whether it was acknowledged."""
    for attempt in range(ATTEMPTS):
        try:
            status = caller.call("POST", "/", event.push(), {"content-type": "application/json"})[0]
        except (OSError, http.client.HTTPException) as error:
            answers[type(error).__name__] += 1
            return False
        answers[status] += 1
        if status != 503:
            return 200 <= status < 300
        time.sleep(0.2 * 2**attempt * random.uniform(0.5, 1))
    return False


class Traffic:
    """Sends a pool of events round and round; each is in flight once at a time, and has its thumbnail taken away after."""

    def __init__(self, service, storage, target, events):
        self.service, self.storage, self.target = service, storage, target
        self.events = queue.SimpleQueue()
        for event in events:
            self.events.put(event)

    def at_once(self, workers, seconds, most=1_000_000):
        """So many events at a time, for so long."""
        end = time.monotonic() + seconds
        counter = itertools.count()

        def slots():
            while time.monotonic() < end and next(counter) < most:
                yield time.monotonic()

        return self._run(workers, slots)

    def at_rate(self, rate, seconds, workers=80):
        """So many events a second, each measured from when it was due, not from when it could be sent."""
        start = time.monotonic() + 0.1
        counter = itertools.count()

        def slots():
            while (due := start + next(counter) / rate) < start + seconds:
                time.sleep(max(0, due - time.monotonic()))
                yield due

        return self._run(workers, slots)

    def _run(self, workers, slots):
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(self._work, slots()) for _ in range(workers)]
        whole = Tally()
        for future in futures:
            whole.add(future.result())
        return whole

    def _work(self, slots):
        tally, caller, storage = Tally(), Caller(self.service.port), Storage(self.storage.port)
        for due in slots:
            event = self.events.get()
            acknowledged = deliver(caller, event, tally.answers)
            tally.seconds.append(time.monotonic() - due)
            stored = storage.take_thumbnail(self.target, event.name)
            if event.bomb or not acknowledged:
                tally.refused += not acknowledged
            else:
                tally.thumbnails += stored
                tally.lost += not stored
            self.events.put(event)
        return tally
