"""The pictures of a benchmark: photographs, and bombs that every service must survive."""

import dataclasses
import itertools
import pathlib
import random
import subprocess
import sys

from storage import Storage
from traffic import Event

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = "pictures"
# What both services refuse after at most a look at the header or at the first pixels.
PLAIN_BOMBS = ("over-the-limit.png", "over-the-limit.jpg", "bomb-idat.png", "bomb-iccp.png", "cut.jpg", "cut.png")


@dataclasses.dataclass(frozen=True)
class Kind:
    """A class of pictures: which, as how many objects, and at which rate the latency is measured."""

    files: tuple
    objects: int
    rate: float
    goal: float | None = None


KINDS = {
    "small JPEG, 320x240": Kind(("jpeg-small/320x240-*-baseline.jpg",), 200, 30, 10),
    "12 MP baseline JPEG": Kind(("jpeg-baseline/12mp-*.jpg",), 90, 3, 3),
    "12 MP progressive JPEG": Kind(("jpeg-progressive/12mp-*.jpg",), 90, 2, 10),
    "PNG, 2 MP": Kind(("png-rgb/2mp-*.png", "png-rgba/photo.png", "png-palette/photo.png"), 90, 4),
}
MIX = "mix with 5 % bombs"
MIX_RATE = 4
# Of twenty events: half small ones, and one bomb.
SHARES = dict(zip(KINDS, (10, 4, 2, 3), strict=True))
MIX_OBJECTS = 160


def bombs(work):
    """All hostile files by name, made on first use."""
    folder = work / "hostile"
    if not (folder / "complete").exists():
        make = "import hostile, pathlib, sys; hostile.make(pathlib.Path(sys.argv[1]))"
        subprocess.run([work / "venv/bin/python", "-c", make, folder], check=True, cwd=HERE.parent)
        for kind, suffix in (("jpeg-baseline/12mp-mosaic-q85-420", ".jpg"), ("png-rgb/2mp-0", ".png")):
            whole = (work / f"photographs/{kind}{suffix}").read_bytes()
            (folder / f"cut{suffix}").write_bytes(whole[: len(whole) // 2])
        (folder / "complete").touch()
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.suffix in (".jpg", ".png")}


def photographs(work, kind):
    """The contents of a class, with their suffixes."""
    files = [file for pattern in kind.files for file in sorted((work / "photographs").glob(pattern))]
    if not files:
        sys.exit(f"no {kind.files} in {work}")
    return [(file.suffix, file.read_bytes()) for file in files]


class Uploaded:
    """Every class as objects in storage, and their events."""

    def __init__(self, work, storage_server):
        self.storage = Storage(storage_server.port)
        self.storage.create_bucket(SOURCE)
        self.hostile = bombs(work)
        self.events = {}
        for number, (name, kind) in enumerate(KINDS.items()):
            contents = itertools.islice(itertools.cycle(photographs(work, kind)), kind.objects)
            self.events[name] = [self._put(f"{number}/{n}{suffix}", content) for n, (suffix, content) in enumerate(contents)]

    def _put(self, name, content, bomb=False):
        return Event(SOURCE, name, self.storage.put(SOURCE, name, content), len(content), bomb)

    def mix(self, bombs):
        """Events of all classes, every twentieth a bomb, and every bomb at least once."""
        hostile = sorted(bombs)
        sound = {name: itertools.cycle(self.events[name]) for name in KINDS}
        mixed = []
        for n in range(max(MIX_OBJECTS // 20, len(hostile))):
            twenty = [next(sound[name]) for name, share in SHARES.items() for _ in range(share)]
            bomb = hostile[n % len(hostile)]
            twenty.insert(7, self._put(f"bomb/{n}-{bomb}", self.hostile[bomb], bomb=True))
            random.Random(n).shuffle(twenty)
            mixed += twenty
        return mixed

    def kinds(self):
        """Name, events, rate and goal of every class."""
        for name, kind in KINDS.items():
            yield name, self.events[name], kind.rate, kind.goal
        yield MIX, self.mix(PLAIN_BOMBS), MIX_RATE, None

