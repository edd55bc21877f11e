"""BMP cases, written here byte by byte. They show the samples that were written."""

import struct

import numpy as np
import picture
import reference
from png import RGB, RGBA
from png_cases import MIDDLE, SMALL, samples, shown


def file_of(size, bits, compression, palette, data, top_down=False, masks=b"", header=40):
    height = -size[1] if top_down else size[1]
    offset = 14 + header + len(masks) * (header == 40) + len(palette)
    info = struct.pack("<IiiHHIIiiII", header, size[0], height, 1, bits, compression, len(data), 0, 0, len(palette) // 4, 0)
    if header > 40:
        info += masks.ljust(header - 40, b"\0")
        masks = b""
    head = struct.pack("<2sIHHI", b"BM", offset + len(data), 0, 0, offset)
    return head + info + masks + palette + data


def lines(rows, top_down=False):
    """Rows padded to four bytes, the last first."""
    rows = rows if top_down else rows[::-1]
    return b"".join(row + b"\0" * (-len(row) % 4) for row in rows)


def packed(index, depth):
    per = 8 // depth
    wide = np.pad(index, ((0, 0), (0, -index.shape[1] % per)))
    shifts = np.arange(per)[::-1] * depth
    return [row.tobytes() for row in (wide.reshape(len(wide), -1, per) << shifts).sum(2).astype(np.uint8)]


def runs(index, four_bits):
    """Run-length coding: runs, a stretch of absolute pixels in each row, and the end of each line."""
    out = b""
    for row in index[::-1].tolist():
        at = 0
        while at < len(row):
            if at == 4 and len(row) - at >= 5:
                part = row[at : at + 5]
                data = bytes((a << 4 | b) for a, b in zip(part[::2], [*part[1::2], 0])) if four_bits else bytes(part)
                out += bytes([0, 5]) + data + b"\0" * (len(data) % 2)
                at += 5
                continue
            end = at
            while end < len(row) and row[end] == row[at] and end - at < 255 and (at >= 4 or end < 4):
                end += 1
            out += bytes([end - at, row[at] * 17 if four_bits else row[at]])
            at = end
        out += b"\0\0"
    return out + b"\0\1"


def cases(size):
    for depth in (1, 4, 8):
        count = 2**depth
        t = np.linspace(0, 1, count)
        colours = np.rint(255 * np.stack([t, 0.5 + 0.5 * np.sin(5 * t), 1 - t**2], 1)).astype(np.uint8)
        entries = b"".join(bytes([b, g, r, 0]) for r, g, b in colours.tolist())
        index = np.rint(picture.grey(*size) / 255 * (count - 1)).astype(np.uint8)
        shows = np.concatenate([colours[index].astype(float), np.full(index.shape + (1,), 255.0)], 2)
        yield f"palette-{depth}", file_of(size, depth, 0, entries, lines(packed(index, depth))), shows
        top = lines(packed(index, depth), True)
        yield f"palette-{depth}-top-down", file_of(size, depth, 0, entries, top, True), shows
        if depth > 1:
            data = runs(index, depth == 4)
            yield f"rle-{depth}", file_of(size, depth, 2 if depth == 4 else 1, entries, data), shows
    rgb = samples(*size, RGB, 8)
    bgr = [row[:, ::-1].astype(np.uint8).tobytes() for row in rgb]
    yield "rgb-24", file_of(size, 24, 0, b"", lines(bgr)), shown(rgb, RGB, 8)
    yield "rgb-24-top-down", file_of(size, 24, 0, b"", lines(bgr, True), True), shown(rgb, RGB, 8)
    bgrx = [np.pad(row[:, ::-1], ((0, 0), (0, 1))).astype(np.uint8).tobytes() for row in rgb]
    yield "rgb-32", file_of(size, 32, 0, b"", lines(bgrx)), shown(rgb, RGB, 8)
    for name, (red, green, blue), compression in (("rgb-555", (5, 5, 5), 0), ("rgb-565", (5, 6, 5), 3)):
        most = 2 ** np.array([red, green, blue]) - 1
        few = np.rint(rgb / 255 * most).astype(int)
        words = (few[..., 0] << (green + blue) | few[..., 1] << blue | few[..., 2]).astype("<u2")
        masks = struct.pack("<III", most[0] << (green + blue), most[1] << blue, most[2]) if compression else b""
        yield name, file_of(size, 16, compression, b"", lines([w.tobytes() for w in words]), masks=masks), shown(few / most, RGB, 1)
    rgba = samples(*size, RGBA, 8)
    bgra = [row[:, [2, 1, 0, 3]].astype(np.uint8).tobytes() for row in rgba]
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    yield "rgba-32", file_of(size, 32, 3, b"", lines(bgra), masks=masks, header=124), shown(rgba, RGBA, 8)


def make(folder):
    for where, size in ((folder("bmp"), SMALL), (folder("bmp-resized"), MIDDLE)):
        for name, source, shows in cases(size):
            where.write(f"{name}.bmp", source)
            where.write(f"{name}.expected.png", reference.bytes_of(reference.shrink(shows)))
