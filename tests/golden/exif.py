"""Exif blocks (TIFF 6.0 inside), sound and malformed."""

import struct

SHORT, LONG = 3, 4


def entry(order, tag, kind, count, value):
    payload = struct.pack(order + ("H2x" if kind == SHORT else "I"), value)
    return struct.pack(order + "HHI", tag, kind, count) + payload


def tiff(entries, order="<", first=8):
    """A TIFF header and one IFD; `first` is where the header says that the IFD starts."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    body = struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)
    return mark + struct.pack(order + "I", first) + body


def orientation(value, order="<", kind=SHORT):
    return tiff([entry(order, 0x0112, kind, 1, value)], order)


# What is wrong in each: none of them may change or fail a picture.
MALFORMED = {
    "empty": b"",
    "text": b"this is no TIFF header",
    "cut-header": b"II*\0\x08",
    "cut-entry": orientation(6)[:15],
    "count-too-large": b"II*\0\x08\0\0\0\xff\xff",
    "ifd-outside": tiff([entry("<", 0x0112, SHORT, 1, 6)], first=0xFFFFFFF0),
    "ifd-in-header": b"II*\0\0\0\0\0",
    "value-zero": orientation(0),
    "value-nine": orientation(9),
    "value-huge-long": orientation(0x10006, kind=LONG),
    "unknown-type": tiff([struct.pack("<HHII", 0x0112, 99, 1, 6)]),
    "no-values": tiff([entry("<", 0x0112, SHORT, 0, 6)]),
    "wrong-order-mark": b"IM" + orientation(6)[2:],
}
