"""A small PNG writer (ISO/IEC 15948) for every colour type, depth, filter and chunk order."""

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
# x start, y start, x step, y step of Adam7's passes (clause 8.2)
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, payload, crc=None):
    """Length, type, payload, CRC-32 (or a wrong one)."""
    crc = zlib.crc32(kind + payload) if crc is None else crc
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", crc)


def iccp(profile):
    return chunk(b"iCCP", b"test\0\0" + zlib.compress(profile, 9))


def _pack(samples, depth):
    """Rows of samples as packed bytes; rows start at a byte."""
    height, width = samples.shape[:2]
    flat = samples.reshape(height, -1)
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in flat]
    if depth == 8:
        return [row.astype(np.uint8).tobytes() for row in flat]
    bits = (flat[:, :, None] >> np.arange(depth - 1, -1, -1)) & 1
    return [np.packbits(row.reshape(-1).astype(np.uint8)).tobytes() for row in bits]


def _filter(rows, bpp, start=0):
    """Filter types 0..4 in turn, so that each of them is decoded."""
    out, above = [], None
    for n, row in enumerate(rows):
        kind, above = (n + start) % 5, above or bytes(len(row))
        now = np.frombuffer(row, np.uint8).astype(int)
        up = np.frombuffer(above, np.uint8).astype(int)
        left = np.concatenate([np.zeros(bpp, int), now])[: len(now)]
        corner = np.concatenate([np.zeros(bpp, int), up])[: len(now)]
        p = left + up - corner
        pa, pb, pc = abs(p - left), abs(p - up), abs(p - corner)
        paeth = np.where((pa <= pb) & (pa <= pc), left, np.where(pb <= pc, up, corner))
        predicted = [0, left, up, (left + up) // 2, paeth][kind]
        out.append(bytes([kind]) + ((now - predicted) % 256).astype(np.uint8).tobytes())
        above = row
    return b"".join(out)


def scanlines(samples, colour, depth, interlaced=False):
    """The filtered bytes that the zlib stream holds."""
    bpp = max(1, CHANNELS[colour] * depth // 8)
    if not interlaced:
        return _filter(_pack(samples, depth), bpp)
    passes = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7]
    return b"".join(_filter(_pack(p, depth), bpp) for p in passes if p.size)


def header(width, height, colour, depth, interlaced=False):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced)))


def encode(samples, colour, depth, interlaced=False, before=b"", after=b"", pieces=1):
    """A PNG of [height, width, channels] samples; `before` and `after` are chunks around its IDATs."""
    height, width = samples.shape[:2]
    stream = zlib.compress(scanlines(samples, colour, depth, interlaced), 9)
    size = -(-len(stream) // pieces)
    idat = b"".join(chunk(b"IDAT", stream[i : i + size]) for i in range(0, len(stream), size))
    return SIGNATURE + header(width, height, colour, depth, interlaced) + before + idat + after + chunk(b"IEND", b"")
