"""WebP cases: coded by libwebp. Lossless ones show the samples that were written, others libwebp's own decode."""

import io
import struct

import exif
import icc
import numpy as np
import picture
import reference
from PIL import Image
from png import RGB, RGBA
from png_cases import LARGE, MIDDLE, SMALL, TURNS, converted, samples, shown


def coded(pixels, **options):
    out = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(out, "WEBP", **options)
    return out.getvalue()


def decoded(source):
    """libwebp's decode as float RGBA."""
    image = Image.open(io.BytesIO(source))
    return np.asarray(image.convert("RGBA")).astype(float)


def chunks(source):
    """The chunks of a file as (kind, content)."""
    at = 12
    while at + 8 <= len(source):
        kind, length = struct.unpack_from("<4sI", source, at)
        yield kind, source[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def file_of(*parts):
    body = b"".join(k + struct.pack("<I", len(c)) + c + b"\0" * (len(c) % 2) for k, c in parts)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def lossless(size):
    noise = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3))
    few = np.rint(picture.grey(*size) / 86).astype(int)
    palette = np.array([[0, 0, 0], [255, 0, 0], [0, 99, 255], [255, 255, 255]])[few.clip(0, 3)]
    for name, pixels in {
        "rgb": samples(*size, RGB, 8),
        "rgba": samples(*size, RGBA, 8),
        "noise": noise,
        "palette-4": palette,
        "palette-2": np.array([[0, 0, 0], [250, 240, 10]])[(few > 1).astype(int)],
        "flat": np.full((size[1], size[0], 3), (10, 200, 30)),
    }.items():
        for method in (0, 6):
            source = coded(pixels, lossless=True, exact=True, method=method, quality=100 * (method > 0))
            yield f"{name}-{method}", source, shown(pixels, RGBA if pixels.shape[2] == 4 else RGB, 8)


def frames(size):
    """An animation's first frame, where it lies on its canvas; the second is of another colour."""
    pixels = samples(*size, RGBA, 8).astype(np.uint8)
    first, second = Image.fromarray(pixels), Image.new("RGBA", size, (1, 2, 3, 255))
    out = io.BytesIO()
    first.save(out, "WEBP", save_all=True, append_images=[second], lossless=True, exact=True, duration=100)
    yield "animated", out.getvalue(), shown(pixels.astype(int), RGBA, 8)
    for name, colour in (("offset", RGB), ("offset-alpha", RGBA)):
        pixels = samples(*size, colour, 8)
        stream = dict(chunks(coded(pixels, lossless=True, exact=True)))[b"VP8L"]
        triple = lambda n: struct.pack("<I", n)[:3]  # noqa: E731
        width, height = size[0] + 9, size[1] + 7
        header = b"\x02\0\0\0" + triple(width - 1) + triple(height - 1)
        place = triple(2) + triple(1) + triple(size[0] - 1) + triple(size[1] - 1) + triple(100) + b"\0"
        frame = place + b"VP8L" + struct.pack("<I", len(stream)) + stream + b"\0" * (len(stream) % 2)
        canvas = np.zeros((height, width, 4))
        canvas[2 : 2 + size[1], 4 : 4 + size[0]] = shown(pixels, colour, 8)
        yield name, file_of((b"VP8X", header), (b"ANIM", b"\xff" * 4 + b"\0\0"), (b"ANMF", frame)), canvas


def extras():
    pixels = samples(*SMALL, RGB, 8)
    for value in TURNS:
        source = coded(pixels, lossless=True, exif=b"Exif\0\0" + exif.orientation(value))
        yield f"orientation-{value}", source, TURNS[value](shown(pixels, RGB, 8))
    whole = coded(pixels, lossless=True, exif=b"Exif\0\0" + exif.orientation(6))
    yield "exif-without-prefix", whole.replace(b"Exif\0\0", b"", 1) and file_of(
        *[(k, c.removeprefix(b"Exif\0\0")) for k, c in chunks(whole)]), TURNS[6](shown(pixels, RGB, 8))  # fmt: skip
    plain = coded(pixels, lossless=True)
    yield "junk-at-the-end", plain + b"junk" * 9, shown(pixels, RGB, 8)
    yield "unknown-chunk", file_of(*chunks(plain), (b"JUNK", b"x" * 7)), shown(pixels, RGB, 8)


def lossy(size):
    for name, colour in (("rgb", RGB), ("rgba", RGBA)):
        pixels = samples(*size, colour, 8)
        for quality in (20, 90):
            for method in (0, 6):
                source = coded(pixels, quality=quality, method=method)
                yield f"{name}-{quality}-{method}", source, decoded(source)
    source = coded(samples(*size, RGBA, 8), quality=80, alpha_quality=30)
    yield "alpha-quality", source, decoded(source)


def profiled(size):
    pixels = samples(*size, RGB, 8, picture.muted)
    profile = icc.rgb()
    yield "rgb", coded(pixels, lossless=True, icc_profile=profile), converted(shown(pixels, RGB, 8), profile, "RGB")


def make(folder):
    same, resized, lost, colour = folder("webp"), folder("webp-resized"), folder("webp-lossy"), folder("webp-profiled")
    families = [(same, lossless(SMALL)), (same, frames(SMALL)), (same, extras()), (resized, lossless(MIDDLE)),
                (resized, frames(MIDDLE)), (lost, lossy(SMALL)), (lost, lossy(MIDDLE)), (lost, lossy(LARGE)),
                (colour, profiled(SMALL)), (colour, profiled(MIDDLE))]  # fmt: skip
    for where, cases in families:
        for name, source, shows in cases:
            name = name if where is same or where is resized else f"{name}-{shows.shape[1]}"
            where.write(f"{name}.webp", source)
            where.write(f"{name}.expected.png", reference.bytes_of(reference.shrink(shows)))
