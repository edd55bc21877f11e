#!/usr/bin/env python3
"""Makes the golden cases: sources, and expected pictures that never come from the renderer itself.

    python3 -m venv venv && venv/bin/pip install pillow==13.0.0 numpy tifffile && venv/bin/python tests/golden/make.py

`jpegtran`, `cjpeg` and `djpeg` of libjpeg-turbo (Debian: libjpeg-turbo-progs) must be on the PATH.

A source is `FOLDER/CASE.EXTENSION`; its expected picture is `FOLDER/CASE.expected.png`. The folder tells how much
the two may differ: tests/render/golden.rs derives each folder's tolerance. `refused/LABEL/CASE.*` must be refused with
that label. Expected pictures: for JPEG by reference.py (libjpeg-turbo's full decode through Pillow); for lossy WebP
by libwebp's decode; for all else from the samples that were written. Pictures are smooth, so that the order of colour
conversion and filtering, which the format leaves open, doesn't show. `scaled` is compared with plane by plane:
src/render/source/jpeg/decode/tests/scaled.rs.
"""

import pathlib
import shutil

import bmp_cases
import gif_cases
import jpeg_cases
import png_cases
import refused_cases
import scaled_cases
import tiff_cases
import webp_cases

HERE = pathlib.Path(__file__).resolve().parent


class Folder:
    """Where a family of cases is written."""

    def __init__(self, name):
        self.path = HERE / name
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)

    def write(self, name, content):
        (self.path / name).write_bytes(content)


def main():
    for cases in (jpeg_cases, png_cases, webp_cases, gif_cases, bmp_cases, tiff_cases, refused_cases, scaled_cases):
        cases.make(Folder)
    files = [f for f in HERE.rglob("*") if f.is_file() and f.suffix != ".py" and "__pycache__" not in f.parts]
    print(f"{len(files)} files, {sum(f.stat().st_size for f in files):,} bytes")


if __name__ == "__main__":
    main()
