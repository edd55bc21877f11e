"""JPEG cases. Each is decoded in full by libjpeg-turbo for its expected picture."""

import io
import subprocess

import exif
import icc
import jpeg
import picture
import numpy as np
import reference
from PIL import Image

# Same size; shrunk 3.3 times; shrunk 8.1 times.
SMALL, WIDE, LARGE, HUGE = (48, 32), (420, 42), (1040, 72), (2100, 96)
QUALITY = 90


def pillow(width, height, mode="RGB", **options):
    pixels = {"RGB": picture.rgb, "L": picture.grey}[mode](width, height)
    out = io.BytesIO()
    Image.fromarray(pixels.round().astype("uint8"), mode).save(out, "JPEG", quality=QUALITY, **options)
    return out.getvalue()


def ycc(width, height, sampling=None, muted=False, **options):
    options.setdefault("head", jpeg.JFIF)
    pixels = picture.muted(width, height) if muted else picture.rgb(width, height)
    return jpeg.encode(jpeg.ycbcr(pixels), sampling, quality=QUALITY, **options)


def cmyk(width, height, transform, sampling=None, head=b""):
    """Four inks, inverted as Adobe stores them; in YCCK, YCbCr is that of an RGB that equals the first three inks."""
    inks = picture.inks(width, height)
    planes = [255 - ink for ink in inks]
    if transform == 2:
        planes[:3] = jpeg.ycbcr(np.stack(inks[:3], 2))
    return jpeg.encode(planes, sampling, head=jpeg.adobe(transform) + head, quality=QUALITY)


def insert(source, segments):
    """`segments` right after SOI and JFIF's APP0, if there is one."""
    at = 2 + (2 + int.from_bytes(source[4:6], "big") if source[2:4] == b"\xff\xe0" else 0)
    return source[:at] + segments + source[at:]


def jpegtran(source, *options):
    return subprocess.run(["jpegtran", "-copy", "all", *options], input=source, capture_output=True, check=True).stdout


def scans(source):
    """Where each scan's SOS starts and where its entropy-coded data ends."""
    found, at = [], 2
    while source[at + 1] != 0xD9:
        start, kind = at, source[at + 1]
        at += 2 + int.from_bytes(source[at + 2 : at + 4], "big")
        if kind == 0xDA:
            while source[at] != 0xFF or source[at + 1] == 0 or source[at + 1] in range(0xD0, 0xD8):
                at += 1
            found.append((start, at))
    return found


def orientations():
    for value in range(1, 9):
        for size, name in ((SMALL, "small"), (LARGE, "large")):
            yield f"orientation-{value}-{name}", insert(ycc(*size), jpeg.exif(exif.orientation(value)))
    yield "orientation-6-big-endian", insert(ycc(*SMALL), jpeg.exif(exif.orientation(6, ">")))
    yield "orientation-6-long", insert(ycc(*SMALL), jpeg.exif(exif.orientation(6, "<", exif.LONG)))
    yield "orientation-3-long-big-endian", insert(ycc(*SMALL), jpeg.exif(exif.orientation(3, ">", exif.LONG)))
    progressive = pillow(*LARGE, subsampling=0, progressive=True)
    yield "orientation-8-progressive", insert(progressive, jpeg.exif(exif.orientation(8)))


def codings():
    """Codings without chroma subsampling."""
    yield "grey", pillow(*WIDE, "L")
    yield "grey-progressive", pillow(*WIDE, "L", progressive=True)
    yield "grey-2x2-factors", jpeg.encode([picture.grey(*WIDE)], [(2, 2)], head=jpeg.JFIF, quality=QUALITY)
    yield "rgb-adobe", jpeg.encode(list(picture.rgb(*WIDE).transpose(2, 0, 1)), head=jpeg.adobe(0), quality=QUALITY)
    yield "rgb-ids", jpeg.encode(list(picture.rgb(*WIDE).transpose(2, 0, 1)), ids=list(b"RGB"), quality=QUALITY)
    yield "ycc-adobe", ycc(*WIDE, head=jpeg.adobe(1))
    yield "ycc-no-marker", ycc(*WIDE, head=b"")
    yield "ycc-odd-ids", ycc(*WIDE, ids=[0, 7, 200])
    yield "non-interleaved", ycc(*WIDE, interleaved=False)
    yield "restarts", ycc(*WIDE, restart=3)
    yield "wide-tables", ycc(*WIDE, wide_tables=True)
    yield "progressive", pillow(*WIDE, subsampling=0, progressive=True)
    yield "progressive-large", pillow(*HUGE, subsampling=0, progressive=True)
    yield "progressive-restarts", jpegtran(ycc(*LARGE), "-progressive", "-restart", "1")
    whole = ycc(*WIDE)
    yield "standard-tables", whole.replace(b"\xff\xc4", b"\xff\xfe"), whole
    yield "fill-bytes", whole.replace(b"\xff\xdb", b"\xff\xff\xff\xff\xdb", 1)
    yield "comment-and-thumbnail", insert(whole, jpeg.segment(0xFE, b"\xff\xd9 no EOI") + jpeg.segment(0xE1, ycc(16, 16)))
    yield "junk-after-eoi", whole + b"junk" * 20
    yield "missing-eoi", whole[:-2], whole
    yield "missing-eoi-large", ycc(*LARGE)[:-2], ycc(*LARGE)
    for name, block in exif.MALFORMED.items():
        yield f"exif-{name}", insert(ycc(*SMALL), jpeg.exif(block)), ycc(*SMALL)


def sizes():
    """The size rule where it is hard, and pictures that must not be enlarged.

    They change along the longer side only: two rows made of a few blocks are all borders, where filters differ.
    """
    for width, height in [(1, 1), (1000, 1), (1, 1000), (127, 3), (3, 127), (128, 128), (129, 128), (7, 5),
                          (257, 3), (300, 5), (5, 300), (640, 13), (1023, 9), (383, 2), (2049, 33)]:  # fmt: skip
        pixels = np.broadcast_to(picture.rgb(width, 1) if width > height else picture.rgb(1, height), (height, width, 3))
        yield f"size-{width}x{height}", jpeg.encode(jpeg.ycbcr(pixels), head=jpeg.JFIF, quality=QUALITY)


def damaged_unused():
    """Progressive, shrunk 16 times: the scans of the high frequencies are destroyed, the thumbnail is the same."""
    whole = pillow(*HUGE, subsampling=0, progressive=True)
    for name, wanted in (("first-high-ac", 6), ("last-ac-refinement", None)):
        spans = scans(whole)
        luma = [s for s in spans if whole[s[0] + 4] == 1 and whole[s[0] + 5] == 1 and whole[s[0] + 7] == (wanted or 1)]
        start, end = luma[-1]
        broken = bytearray(whole)
        for at in range(start + 10 + (end - start - 10) // 4, end - 2):
            broken[at] = 0x55
        yield f"corrupt-unused-{name}", bytes(broken), whole


def subsampled():
    for name, sampling in {
        "420": [(2, 2), (1, 1), (1, 1)],
        "422": [(2, 1), (1, 1), (1, 1)],
        "440": [(1, 2), (1, 1), (1, 1)],
        "411": [(4, 1), (1, 1), (1, 1)],
        "410": [(4, 2), (1, 1), (1, 1)],
        "unequal": [(2, 2), (2, 1), (1, 2)],
        "chroma-first": [(1, 1), (2, 2), (2, 2)],
    }.items():
        for size, label in ((SMALL, "small"), (WIDE, "wide"), (LARGE, "large")):
            if size == WIDE or name in ("420", "440"):
                yield f"{name}-{label}", ycc(*size, sampling)
        if name in ("420", "440"):
            yield f"{name}-non-interleaved-small", ycc(*SMALL, sampling, interleaved=False)
        if name in ("420", "440", "411"):
            yield f"{name}-non-interleaved-large", ycc(*LARGE, sampling, interleaved=False)
        if name in ("420", "422", "440"):
            yield f"{name}-progressive", jpegtran(ycc(*WIDE, sampling), "-progressive")
            yield f"{name}-progressive-large", jpegtran(ycc(*LARGE, sampling), "-progressive")
            yield f"{name}-restarts-odd-size", ycc(555, 83, sampling, restart=5)


def inks():
    """CMYK and YCCK as Adobe writes them, without a profile."""
    for name, transform in (("cmyk", 0), ("ycck", 2)):
        for size, label in ((SMALL, "small"), (WIDE, "wide"), (LARGE, "large")):
            yield f"{name}-{label}", cmyk(*size, transform)
        yield f"{name}-progressive", jpegtran(cmyk(*LARGE, transform), "-progressive")
    yield "ycck-420", cmyk(*WIDE, 2, [(2, 2), (1, 1), (1, 1), (2, 2)])


def profiled():
    rgb, grey, ink = icc.rgb(), icc.grey(), icc.cmyk()
    for size, label in ((SMALL, "small"), (WIDE, "wide"), (LARGE, "large")):
        yield f"rgb-{label}", insert(ycc(*size, muted=True), jpeg.icc(rgb))
        yield f"grey-{label}", insert(pillow(*size, "L"), jpeg.icc(grey))
        yield f"cmyk-{label}", cmyk(*size, 0, head=jpeg.icc(ink))
        yield f"ycck-{label}", cmyk(*size, 2, head=jpeg.icc(ink))
    yield "progressive", insert(jpegtran(ycc(*LARGE, muted=True), "-progressive"), jpeg.icc(rgb))
    yield "chunks-out-of-order", insert(ycc(*SMALL, muted=True), jpeg.icc(rgb, 200, [2, 0, 1]))
    yield "turned", insert(ycc(*SMALL, muted=True), jpeg.exif(exif.orientation(6)) + jpeg.icc(rgb))


def profiles_to_ignore():
    rgb, sound = icc.rgb(), ycc(*SMALL)
    for name, segments in {
        "garbage": jpeg.icc(b"\x5a" * 500),
        "cut": jpeg.icc(rgb[:180]),
        "empty": jpeg.segment(0xE2, b"ICC_PROFILE\0\1\1"),
        "missing-chunk": jpeg.icc(rgb, 200, [0, 2]),
        "of-grey": jpeg.icc(icc.grey()),
        "of-cmyk": jpeg.icc(icc.cmyk()),
    }.items():
        yield f"icc-{name}", insert(sound, segments), sound


def make(folder):
    """A case is its name, its source and, where that is damaged or misleading, the sound one that it must look like."""
    plain = folder("jpeg")
    families = [(plain, orientations()), (plain, codings()), (plain, sizes()), (plain, damaged_unused()),
                (plain, profiles_to_ignore()), (folder("jpeg-subsampled"), subsampled()), (folder("jpeg-inks"), inks()),
                (folder("jpeg-profiled"), profiled())]  # fmt: skip
    for where, cases in families:
        for name, source, *sound in cases:
            where.write(f"{name}.jpg", source)
            where.write(f"{name}.expected.png", expected(sound[0] if sound else source))
    plain.write("wrong-extension.png", ycc(*WIDE))
    plain.write("wrong-extension.expected.png", expected(ycc(*WIDE)))


def expected(source):
    return reference.bytes_of(reference.shrink(reference.decode(source)))
