"""GIF cases: coded by Pillow, and changed byte by byte where Pillow can't say it. They show the indices that were written."""

import io
import struct

import numpy as np
import picture
import reference
from PIL import Image
from png_cases import LARGE, MIDDLE, SMALL


def colours(count):
    t = np.linspace(0, 1, count)
    return np.rint(255 * np.stack([t, 0.5 + 0.5 * np.sin(5 * t), 1 - t**2], 1)).astype(np.uint8)


def indices(size, count):
    return np.rint(picture.grey(*size) / 255 * (count - 1)).astype(np.uint8)


def paletted(index, palette):
    image = Image.fromarray(index, "L").convert("P")
    image.putdata(index.ravel().tolist())
    image.putpalette(palette.tobytes())
    return image


def coded(index, palette, **options):
    out = io.BytesIO()
    paletted(index, palette).save(out, "GIF", optimize=False, **options)
    return out.getvalue()


def shown(index, palette, transparent=None):
    shows = np.concatenate([palette[index].astype(float), np.full(index.shape + (1,), 255.0)], 2)
    if transparent is not None:
        shows[index == transparent] = 0
    return shows


def split(source):
    """The screen's descriptor, its palette, what comes before the frame, the frame's descriptor, and the rest."""
    length = 3 << (1 + (source[10] & 7)) if source[10] & 0x80 else 0
    at = 13 + length
    start = at
    while source[at] == 0x21:
        at += 2
        while source[at]:
            at += 1 + source[at]
        at += 1
    assert source[at] == 0x2C
    return bytearray(source[:13]), source[13 : 13 + length], source[start:at], bytearray(source[at : at + 10]), source[at + 10 :]


def local(source):
    """The global palette as the frame's own."""
    screen, palette, before, frame, rest = split(source)
    frame[9] |= 0x80 | (screen[10] & 7)
    screen[10] &= 0x78
    return bytes(screen + before + frame + palette + rest)


def placed(source, corner, canvas):
    screen, palette, before, frame, rest = split(source)
    screen[6:10] = struct.pack("<HH", *canvas)
    frame[1:5] = struct.pack("<HH", *corner)
    return bytes(screen + palette + before + frame + rest)


def on_canvas(shows, corner, canvas):
    whole = np.zeros((canvas[1], canvas[0], 4))
    whole[corner[1] : corner[1] + shows.shape[0], corner[0] : corner[0] + shows.shape[1]] = shows
    return whole


def cases(size):
    for count in (2, 4, 16, 256):
        index, palette = indices(size, count), colours(count)
        for interlace in (0, 1):
            name = f"colours-{count}" + "-interlaced" * interlace
            yield name, coded(index, palette, interlace=interlace), shown(index, palette)
        key = int(index[3, 5])
        yield f"colours-{count}-transparent", coded(index, palette, transparency=key), shown(index, palette, key)
    index, palette = indices(size, 64), colours(64)
    grey = np.repeat(np.arange(0, 256, 4, dtype=np.uint8)[:, None], 3, 1)
    yield "grey", coded(index, grey), shown(index, grey)
    yield "local-palette", local(coded(index, palette, interlace=1)), shown(index, palette)
    noise = np.random.default_rng(2).integers(0, 256, index.shape).astype(np.uint8)
    yield "noise", coded(noise, colours(256)), shown(noise, colours(256))
    width, height = index.shape[1], index.shape[0]
    for name, corner, canvas in (
        ("offset", (3, 2), (width + 8, height + 5)),
        ("beyond-the-canvas", (2, 1), (width - 3, height - 2)),
    ):
        shows = shown(index, palette)
        larger = (max(canvas[0], corner[0] + width), max(canvas[1], corner[1] + height))
        yield name, placed(coded(index, palette, interlace=1), corner, canvas), on_canvas(shows, corner, larger)
    out = io.BytesIO()
    first, second = paletted(index, palette), paletted(63 - index, palette)
    first.save(out, "GIF", save_all=True, append_images=[second], duration=100, loop=0, comment=b"hello" * 99)
    yield "animated", out.getvalue(), shown(index, palette)


def make(folder):
    same, resized = folder("gif"), folder("gif-resized")
    for where, size in ((same, SMALL), (resized, MIDDLE), (resized, LARGE)):
        for name, source, shows in cases(size):
            if size is LARGE and name not in ("colours-256", "colours-16-interlaced", "offset"):
                continue
            name = name + "-large" * (size is LARGE)
            where.write(f"{name}.gif", source)
            where.write(f"{name}.expected.png", reference.bytes_of(reference.shrink(shows)))
