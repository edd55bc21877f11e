"""Files made to take time or memory, for the limits that a test can't hold without a clock."""

import struct
import sys
import pathlib
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))
import jpeg  # noqa: E402
import jpeg_cases  # noqa: E402
import png  # noqa: E402
import png_cases  # noqa: E402


def _png(before=b"", width=64, stream=None):
    pixels = png_cases.samples(64, 64, png.RGB, 8)
    stream = zlib.compress(png.scanlines(pixels, png.RGB, 8)) if stream is None else stream
    head = png.header(width, width, png.RGB, 8)
    return png.SIGNATURE + head + before + png.chunk(b"IDAT", stream) + png.chunk(b"IEND", b"")


def _grey_head(width, height, huffman=b"\x00\x10"):
    """A progressive grey frame whose Huffman tables have the one code 0 for the symbol 0."""
    tables = b"".join(jpeg.segment(0xC4, bytes([kind, 1, *[0] * 15, 0])) for kind in huffman)
    frame = struct.pack(">BHHB", 8, height, width, 1) + bytes([1, 0x11, 0])
    return jpeg.SOI + jpeg.segment(0xDB, bytes([0, *[1] * 64])) + jpeg.segment(0xC2, frame) + tables


def _scan(first, last, high, low, size):
    return jpeg.segment(0xDA, bytes([1, 1, 0, first, last, high << 4 | low])) + bytes(size)


def _scans(count, size, width=8192):
    """One DC scan and `count` scans of AC coefficients, each with `size` bytes of data."""
    blocks = (width // 8) ** 2
    return _grey_head(width, width) + _scan(0, 0, 0, 0, blocks // 8) + _scan(1, 63, 0, 0, size) * count + jpeg.EOI


def _dc_refinements(width=16384):
    """As many DC refinements as there are bits, of a picture just over the limit's size."""
    blocks = (width // 8) ** 2
    scans = b"".join(_scan(0, 0, n + 1, n, blocks // 8) for n in reversed(range(13)))
    return _grey_head(width, 15000) + _scan(0, 0, 0, 13, blocks // 8) + scans + jpeg.EOI


def make(out):
    out.mkdir(parents=True, exist_ok=True)
    bomb = zlib.compress(bytes(1 << 30), 9)
    sound = jpeg_cases.ycc(64, 64)
    files = {
        "over-the-limit.png": _png(width=60000),
        "over-the-limit.jpg": sound.replace(b"\x08\0\x40\0\x40\x03", b"\x08\xff\xdc\xff\xdc\x03"),
        "scans-5000.jpg": _scans(5000, 1000),
        "scans-90.jpg": _scans(90, 100_000),
        "dc-refinements.jpg": _dc_refinements(),
        "markers-100000.jpg": jpeg_cases.insert(sound, jpeg.segment(0xFE, b"") * 100_000),
        "exif-100000.jpg": jpeg_cases.insert(sound, jpeg.exif(b"II*\0\x08\0\0\0") * 100_000),
        "tables-100000.jpg": jpeg_cases.insert(sound, jpeg.segment(0xC4, bytes([0, 1, *[0] * 15, 0])) * 100_000),
        "chunks-100000.png": _png(png.chunk(b"prVt", b"?") * 100_000),
        "text-100000.png": _png(png.chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(9000))) * 100_000),
        "bomb-iccp.png": _png(png.chunk(b"iCCP", b"name\0\0" + bomb)),
        "bomb-ztxt.png": _png(png.chunk(b"zTXt", b"name\0\0" + bomb)),
        "bomb-idat.png": _png(stream=bomb),
        "flat-15000x15000.png": _png(width=15000, stream=zlib.compress(bytes(15000 * (3 * 15000 + 1)), 9)),
    }
    for name, content in files.items():
        (out / name).write_bytes(content)
    return [out / name for name in sorted(files)]
