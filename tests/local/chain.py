"""usage: chain.py PROGRAM    The local chain, as a new user meets it, and through a stop in the middle of its work."""

import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy/local"))

from browser import PATIENCE, gallery  # noqa: E402
from processes import PORTS, Stack  # noqa: E402

MANY = 200
# What the page says of a rendition, an event and an original.
SHOWN = (
    r": 128x96, [\d.]+ K?i?B, \d+ ms after the upload",
    r"finalize photos/été & #0\.jpg #\d+: 1 rendition stored within \d+ ms",
    r"^400x300, [\d.]+ K?i?B, uploaded in \d+ ms$",
)


def free_ports():
    """A free port for each service."""
    sockets = {name: socket.socket() for name in PORTS}
    for made in sockets.values():
        made.bind(("127.0.0.1", 0))
    ports = {name: made.getsockname()[1] for name, made in sockets.items()}
    for made in sockets.values():
        made.close()
    return ports


def walk(said, folder):
    """Runs the two curls that the chain prints, until the thumbnail is there."""
    upload, fetch = (re.search(rf"{name}: +(curl .*)", said)[1] for name in ("upload", "thumbnail"))
    subprocess.run(["sh", "-c", f"{upload} --silent --fail --output /dev/null"], cwd=ROOT, check=True)
    end = time.monotonic() + PATIENCE
    while subprocess.run(["sh", "-c", f"{fetch} --silent --fail"], cwd=folder).returncode != 0:
        assert time.monotonic() < end, "no thumbnail came"
        time.sleep(0.02)
    thumbnail = (folder / "thumbnail.png").read_bytes()
    assert thumbnail.startswith(b"\x89PNG"), thumbnail[:8]


def thumbnails(storage):
    """How many objects the target has; none while the server is down."""
    try:
        with urllib.request.urlopen(f"{storage}/storage/v1/b/thumbs/o?maxResults=100000", timeout=30) as answer:
            return answer.read().count(b'"kind":"storage#object",')
    except (urllib.error.URLError, ConnectionError):
        return 0


def assert_shown(page, numbers):
    """Waits until the page shows the thumbnails of these numbers, which must have the colours that were dropped."""
    for number in numbers:
        page.wait(f"picture {number}", lambda: page.distance(number) is not None)
        assert page.distance(number) <= 12, f"picture {number} is off by {page.distance(number)}"


def check_one(page):
    page.drop([0])
    assert_shown(page, [0])
    page.wait("the original", lambda: "x" in page.text(0, ".original p") and "uploaded" in page.text(0, ".original p"))
    for selector, wanted in zip(("figcaption", ".event", ".original p"), SHOWN):
        assert re.search(wanted, page.text(0, selector)), f"{page.text(0, selector)!r} isn't {wanted}"
    console = page.console()
    assert console == [], console


def check_many(page, storage, first):
    numbers = range(first, first + MANY)
    before, start = thumbnails(storage), time.monotonic()
    page.drop(numbers)
    page.wait("all of many", lambda: thumbnails(storage) >= before + MANY)
    print(f"{MANY} at once: all there after {time.monotonic() - start:.1f} s")
    assert_shown(page, numbers)
    assert thumbnails(storage) == before + MANY


def check_stop(page, storage, folder, running, stack):
    before, start = thumbnails(storage), time.monotonic()
    page.drop(range(1, MANY + 1))
    page.wait("some of many", lambda: thumbnails(storage) > before + 20)
    running.stop()
    stopped = time.monotonic() - start
    done = sum(file.is_file() for file in (folder / "storage/thumbs").rglob("*")) - before
    assert done < MANY, "the stop came too late to be in the middle"
    with stack():
        page.wait("all of many", lambda: thumbnails(storage) >= before + MANY)
        took = time.monotonic() - start
        print(f"{MANY} at once, stopped at {done} after {stopped:.1f} s, started again: all there after {took:.1f} s")
        assert_shown(page, range(1, MANY + 1))
        check_many(page, storage, MANY + 1)


def main():
    with tempfile.TemporaryDirectory() as folder, open(pathlib.Path(folder, "log"), "a") as log:
        folder, ports = pathlib.Path(folder), free_ports()
        storage = f"http://localhost:{ports['storage']}"

        def stack():
            return Stack(sys.argv[1], folder / "storage", ports, log=log)

        start = time.monotonic()
        with stack() as running:
            ready = time.monotonic() - start
            said = (folder / "log").read_text()
            walk(said, folder)
            print(f"ready after {ready:.1f} s, the first thumbnail after {time.monotonic() - start:.1f} s")
            with gallery(re.search(r"gallery: +(\S+)", said)[1]) as page:
                try:
                    check_one(page)
                    check_stop(page, storage, folder, running, stack)
                except BaseException:
                    print("\n".join((folder / "log").read_text().splitlines()[-60:]), file=sys.stderr)
                    raise


if __name__ == "__main__":
    main()
