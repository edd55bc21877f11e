"""Pillow or pyvips making thumbnails as a Python service would: `peers.py pillow|pyvips FOLDER [--reps N] ...`.

Prints what measure.py reads of the `render` benchmark's JSON lines. One thread; CPU time is that of the whole process.
"""

import argparse
import io
import json
import pathlib
import resource
import statistics
import time


def pillow():
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None

    def thumbnail(source):
        image = Image.open(io.BytesIO(source))
        image.thumbnail((128, 128))
        out = io.BytesIO()
        image.save(out, "PNG")
        return out.getvalue()

    return thumbnail


def pyvips():
    import pyvips

    pyvips.cache_set_max(0)
    return lambda source: pyvips.Image.thumbnail_buffer(source, 128, height=128, size="down").write_to_buffer(".png")


def measure(thumbnail, source, reps, min_ms):
    started = time.process_time()
    png = thumbnail(source)
    count = max(1, int(min_ms / 1e3 / max(time.process_time() - started, 1e-5)))
    times = []
    for _ in range(reps):
        started = time.process_time()
        for _ in range(count):
            png = thumbnail(source)
        times.append((time.process_time() - started) / count * 1e3)
    return png, times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=("pillow", "pyvips"))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--reps", type=int, default=7)
    parser.add_argument("--min-ms", type=float, default=60)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    thumbnail = {"pillow": pillow, "pyvips": pyvips}[options.peer]()
    for file in sorted(options.folder.iterdir()):
        try:
            png, times = measure(thumbnail, file.read_bytes(), options.reps, options.min_ms)
        except Exception as error:  # A codec raises what it likes; the line says what.
            print(json.dumps({"file": file.name, "error": repr(error)}), flush=True)
            continue
        line = {
            "file": file.name,
            "cpu_ms_median": statistics.median(times),
            "out_w": int.from_bytes(png[16:20], "big"),
            "out_h": int.from_bytes(png[20:24], "big"),
            "out_bytes": len(png),
            "maxrss_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        }
        print(json.dumps(line), flush=True)
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / f"{file.name}.png").write_bytes(png)


if __name__ == "__main__":
    main()
