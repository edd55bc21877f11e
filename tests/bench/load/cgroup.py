"""A memory limit as a container has it: a cgroup of version 1 or 2, which takes root to make."""

import os
import pathlib
import sys

ROOT = pathlib.Path("/sys/fs/cgroup")


class MemoryCgroup:
    """A group with a memory limit; the files' names are those of its version."""

    def __init__(self, limit):
        second = (ROOT / "cgroup.controllers").exists()
        self.path = (ROOT if second else ROOT / "memory") / f"gcs-thumbnailer-bench-{os.getpid()}"
        self.limit, self.limit_file = limit, "memory.max" if second else "memory.limit_in_bytes"
        self.peak_file = "memory.peak" if second else "memory.max_usage_in_bytes"
        self.kills_file = "memory.events" if second else "memory.oom_control"

    def __enter__(self):
        try:
            self.path.mkdir()
            (self.path / self.limit_file).write_text(str(self.limit))
        except OSError as error:
            sys.exit(f"a memory limit takes root, and cgroups that may be written: {error}")
        return self

    def __exit__(self, *_):
        self.path.rmdir()

    def peak(self):
        """The most that was in use, with the page cache, in MiB."""
        return int((self.path / self.peak_file).read_text()) / 2**20

    def kills(self):
        """How many processes the kernel has killed for memory."""
        lines = (self.path / self.kills_file).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
