"""The services in turns at the same work, and both at a crowd of events under a container's memory limit."""

import sys
import time

import servers
from cgroup import MemoryCgroup
from health import Health
from pictures import PLAIN_BOMBS
from storage import Storage
from traffic import Traffic

# The CPU of the service; storage and the load share the other.
SERVICE_CPU, OTHER_CPU = 0, 1
CROWD = 80
LIMIT = 512 << 20
TURNS = 2


def work(options, storage, uploaded):
    """Eight events at a time: {class: {service: [turn]}}, for the CPU that they take."""

    def turn(server, traffic, _):
        before = server.cpu_seconds()
        tally = traffic.at_once(8, options.seconds)
        return {"cpu": server.cpu_seconds() - before, "work": vars(tally)}

    return _in_turns(options, storage, uploaded, "work", turn)


def latency(options, storage, uploaded):
    """A fixed rate, then a crowd: {class: {service: [turn]}}."""

    def turn(_, traffic, rate):
        at_rate = traffic.at_rate(rate, options.seconds)
        return {"at_rate": vars(at_rate), "crowd": vars(traffic.at_once(CROWD, options.seconds))}

    return _in_turns(options, storage, uploaded, "latency", turn)


def _in_turns(options, storage, uploaded, part, measure):
    results = {}
    for kind, events, rate, goal in uploaded.kinds():
        by = results[kind] = {"rate": rate, "goal": goal}
        for turn in range(TURNS):
            for service, start in servers.SERVICES.items():
                print(f"{part}, {kind}: {service}, turn {turn + 1}", file=sys.stderr)
                target = f"{part}-{service}-{len(results)}-{turn}"
                Storage(storage.port).create_bucket(target)
                with start(options, storage, target, SERVICE_CPU, options.log) as server:
                    time.sleep(1)
                    idle = server.memory("VmRSS")
                    traffic = Traffic(server, storage, target, events)
                    traffic.at_once(4, 5, most=12)
                    found = measure(server, traffic, rate) | {"idle": idle, "peak": server.memory("VmHWM")}
                by.setdefault(service, []).append(found)
    return results


def starts(options, storage, _):
    """Seconds from exec to the first 200, by service, in turns."""
    Storage(storage.port).create_bucket("starts")
    found = {service: [] for service in servers.SERVICES}
    for _ in range(options.starts):
        for service, start in servers.SERVICES.items():
            with start(options, storage, "starts", SERVICE_CPU, options.log) as server:
                found[service].append(server.first_200)
    return found


def limit(options, storage, uploaded):
    """A crowd with one bomb in twenty in 512 MiB, by service; ours gets every hostile file there is, too."""
    bombs = {"rust": uploaded.hostile, "python": PLAIN_BOMBS}
    found = {}
    for service, start in servers.SERVICES.items():
        print(f"under the limit: {service}", file=sys.stderr)
        target = f"{service}-limit"
        Storage(storage.port).create_bucket(target)
        events = uploaded.mix(bombs[service])
        with MemoryCgroup(LIMIT) as group:
            with start(options, storage, target, SERVICE_CPU, options.log, group.path) as server:
                traffic = Traffic(server, storage, target, events)
                with Health(server.port) as health:
                    tally = traffic.at_once(CROWD, options.seconds * 3)
                alive, peak = server.runs(), server.memory("VmHWM")
            found[service] = {"work": vars(tally), "health": health.found, "alive": alive, "peak": peak}
            found[service] |= {"group_peak": group.peak(), "kills": group.kills(), "bombs": len(bombs[service])}
    return found


PARTS = {"starts": starts, "work": work, "latency": latency, "limit": limit}
