"""Small ICC profiles (ICC.1:2001-04) whose effect on a picture can't be missed."""

import struct


def _text(kind, text):
    if kind == b"desc":
        return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" * 79
    return b"text\0\0\0\0" + text + b"\0"


def _xyz(x, y, z):
    return b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(v * 65536) for v in (x, y, z)))


def _gamma(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def _profile(device, space, pcs, tags):
    tags = [(b"desc", _text(b"desc", b"golden")), (b"cprt", _text(b"text", b"CC0")), (b"wtpt", _xyz(0.9642, 1, 0.8249)), *tags]
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, payload in tags:
        payload += b"\0" * (-len(payload) % 4)
        table += struct.pack(">4sII", name, start + len(body), len(payload))
        body += payload
    head = struct.pack(">I4sI4s4s4s12x4s", 0, b"none", 0x02400000, device, space, pcs, b"acsp")
    head = head.ljust(68, b"\0") + struct.pack(">iii", round(0.9642 * 65536), 65536, round(0.8249 * 65536))
    whole = head.ljust(128, b"\0") + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


def rgb():
    """Matrix and gamma: primaries much wider than sRGB's, gamma 1.8 (much like ProPhoto)."""
    colourants = [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)]
    tags = [(n, _xyz(*c)) for n, c in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colourants)]
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags + [(n, _gamma(1.8)) for n in (b"rTRC", b"gTRC", b"bTRC")])


def grey():
    """A linear grey: everything comes out much lighter."""
    return _profile(b"mntr", b"GRAY", b"XYZ ", [(b"kTRC", _gamma(1.0))])


def cmyk():
    """lut8 with 2 grid points: Lab is affine in the inks, so every way to interpolate gives the same."""
    identity = bytes(range(256))
    grid = bytearray()
    for n in range(16):
        c, m, y, k = (n >> 3) & 1, (n >> 2) & 1, (n >> 1) & 1, n & 1
        light = 255 - 30 * c - 35 * m - 10 * y - 120 * k
        grid += bytes([light, 128 - 25 * c + 30 * m, 128 - 20 * c - 8 * m + 35 * y])
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + struct.pack(">9i", *(65536 * v for v in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    return _profile(b"prtr", b"CMYK", b"Lab ", [(b"A2B0", lut + identity * 4 + bytes(grid) + identity * 3)])
