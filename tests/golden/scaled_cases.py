"""Luma planes at 8, 4, 2 and 1 samples per block side, as libjpeg-turbo's scaled decode makes them.

`CASE.N.pgm` is the output of `djpeg -dct int -grayscale -scale N/8 -pnm CASE.jpg`.
"""

import io
import subprocess

import jpeg_cases
import numpy as np
import picture
from PIL import Image

SIZE = (61, 43)


def sources():
    noise = np.random.default_rng(4).normal(0, 40, (SIZE[1], SIZE[0], 3))
    pixels = np.clip(picture.rgb(*SIZE) + noise, 0, 255).astype("uint8")
    for mode, quality, options in (
        ("L", 60, {}),
        ("L", 98, {}),
        ("RGB", 75, {"subsampling": 0}),
        ("RGB", 90, {"subsampling": 1}),
        ("RGB", 75, {"subsampling": 2}),
        ("RGB", 10, {"subsampling": 2}),
    ):
        out = io.BytesIO()
        Image.fromarray(pixels).convert(mode).save(out, "JPEG", quality=quality, **options)
        name = f"{mode.lower()}-q{quality}" + "".join(f"-{('444', '422', '420')[v]}" for v in options.values())
        yield name, out.getvalue()
        if quality == 75:
            yield f"{name}-progressive", jpeg_cases.jpegtran(out.getvalue(), "-progressive")


def make(folder):
    where = folder("scaled")
    for name, source in sources():
        where.write(f"{name}.jpg", source)
        for side in (8, 4, 2, 1):
            command = ["djpeg", "-dct", "int", "-grayscale", "-scale", f"{side}/8", "-pnm"]
            plane = subprocess.run(command, input=source, capture_output=True, check=True).stdout
            where.write(f"{name}.{side}.pgm", plane)
