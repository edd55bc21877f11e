"""PNG cases. What each shows is known from the samples that were written: no decoder takes part."""

import struct
import zlib

import exif
import icc
import numpy as np
import picture
import png
import reference
from PIL import Image
from png import GREY, GREY_ALPHA, PALETTE, RGB, RGBA, chunk

# Same size; shrunk 2.3 times (no whole factor to average first); shrunk 8.1 times.
SMALL, MIDDLE, LARGE = (24, 17), (300, 12), (1040, 16)


def samples(width, height, colour, depth, paint=picture.rgb):
    """The picture's samples of that colour type and depth, [h, w, channels]."""
    most = 2**depth - 1
    planes = {
        GREY: lambda: [picture.grey(width, height)],
        GREY_ALPHA: lambda: [picture.grey(width, height), picture.alpha(width, height)],
        RGB: lambda: list(paint(width, height).transpose(2, 0, 1)),
        RGBA: lambda: [*paint(width, height).transpose(2, 0, 1), picture.alpha(width, height)],
    }[colour]()
    return np.rint(np.stack(planes, 2) / 255 * most).astype(int)


def shown(pixels, colour, depth):
    """Float RGBA 0..255 of samples that aren't a palette's indices."""
    values = pixels / (2**depth - 1) * 255
    alpha = values[..., -1:] if colour in (GREY_ALPHA, RGBA) else np.full(values.shape[:2] + (1,), 255.0)
    return np.concatenate([np.repeat(values[..., :1], 3, 2) if colour in (GREY, GREY_ALPHA) else values[..., :3], alpha], 2)


def palette(depth):
    """2**depth entries that follow each other smoothly, and an alpha for the first three quarters of them."""
    t = np.linspace(0, 1, 2**depth)
    entries = np.rint(255 * np.stack([t, 0.5 + 0.5 * np.sin(5 * t), 1 - t**2], 1)).astype(np.uint8)
    return entries, np.rint(np.linspace(0, 255, max(1, 3 * 2**depth // 4))).astype(np.uint8)


def transparent(pixels, colour, depth):
    """A colour key that a stripe of pixels has, next to pixels that differ from it in the lowest bit only."""
    pixels, key = pixels.copy(), pixels[0, 0].copy()
    pixels[4:9, 5:15] = key
    pixels[4:9, 15:20] = key ^ 1
    shows = shown(pixels, colour, depth)
    shows[(pixels == key).all(2)] = 0
    return pixels, chunk(b"tRNS", b"".join(struct.pack(">H", v) for v in key)), shows


def of_palette(size, depth, saturation=1.0):
    entries, alpha = palette(depth)
    entries = np.rint(128 + (entries - 128.0) * saturation).astype(np.uint8)
    index = np.rint(picture.grey(*size) / 255 * (2**depth - 1)).astype(int)[..., None]
    opaque = np.concatenate([entries[index[..., 0]].astype(float), np.full(index.shape, 255.0)], 2)
    clear = opaque.copy()
    clear[..., 3] = np.pad(alpha, (0, 2**depth - len(alpha)), constant_values=255)[index[..., 0]]
    plte = chunk(b"PLTE", entries.tobytes())
    yield f"palette-{depth}", index, plte, opaque
    yield f"palette-{depth}-trns", index, plte + chunk(b"tRNS", alpha.tobytes()), clear


def colour_types(size):
    """Every colour type and depth that the format has, without and with a tRNS, straight and interlaced."""
    for colour, name, depths in ((GREY, "grey", (1, 2, 4, 8, 16)), (RGB, "rgb", (8, 16)),
                                 (GREY_ALPHA, "grey-alpha", (8, 16)), (RGBA, "rgba", (8, 16))):  # fmt: skip
        for depth in depths:
            pixels = samples(*size, colour, depth)
            cases = [(f"{name}-{depth}", pixels, b"", shown(pixels, colour, depth))]
            if colour in (GREY, RGB):
                cases.append((f"{name}-{depth}-trns", *transparent(pixels, colour, depth)))
            for label, values, before, shows in cases:
                yield label, colour, depth, values, before, shows
    for depth in (1, 2, 4, 8):
        for label, values, before, shows in of_palette(size, depth):
            yield label, PALETTE, depth, values, before, shows


def matrix(size):
    for name, colour, depth, values, before, shows in colour_types(size):
        yield name, png.encode(values, colour, depth, before=before), shows
        yield f"{name}-interlaced", png.encode(values, colour, depth, True, before=before), shows


def large():
    """Shrunk so far that a whole factor may be averaged first."""
    for name, colour, depth, values, before, shows in colour_types(LARGE):
        if name in ("grey-1", "grey-16", "rgb-8", "rgba-8", "grey-alpha-8", "palette-4", "palette-8-trns"):
            yield f"{name}-large", png.encode(values, colour, depth, before=before), shows


def one_bit_keys():
    """Both keys that a 1-bit grey can have."""
    pixels = samples(*SMALL, GREY, 1)
    for key in (0, 1):
        shows = shown(pixels, GREY, 1)
        shows[pixels[..., 0] == key] = 0
        yield f"grey-1-key-{key}", png.encode(pixels, GREY, 1, before=chunk(b"tRNS", struct.pack(">H", key))), shows


def sixteen_bits():
    """Every way that 16 bits can round to 8 (v / 257), which cutting the low byte gets wrong."""
    values = np.array([257 * v + d for v in (0, 1, 100, 200, 254) for d in (0, 127, 128, 129, 130, 255, 256)])
    pixels = values.reshape(5, 7, 1)
    yield "rounding-16", png.encode(pixels, GREY, 16), shown(pixels, GREY, 16)


TURNS = {1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
         5: lambda a: a.swapaxes(0, 1), 6: lambda a: a[::-1].swapaxes(0, 1),
         7: lambda a: a[::-1, ::-1].swapaxes(0, 1), 8: lambda a: a[:, ::-1].swapaxes(0, 1)}  # fmt: skip


def turned(size):
    pixels = samples(*size, RGB, 8)
    shows = shown(pixels, RGB, 8)
    for value, turn in TURNS.items():
        block = chunk(b"eXIf", exif.orientation(value))
        yield f"orientation-{value}", png.encode(pixels, RGB, 8, before=block), turn(shows)


def chunks():
    """Chunks that say something, chunks that may not, and files that end oddly; all of a small RGB picture."""
    pixels = samples(*SMALL, RGB, 8)
    shows = shown(pixels, RGB, 8)
    long = chunk(b"eXIf", exif.orientation(6, ">", exif.LONG))
    yield "orientation-6-long-big-endian", png.encode(pixels, RGB, 8, before=long), TURNS[6](shows)
    yield "orientation-6-after-idat", png.encode(pixels, RGB, 8, after=chunk(b"eXIf", exif.orientation(6))), TURNS[6](shows)
    for name, block in exif.MALFORMED.items():
        yield f"exif-{name}", png.encode(pixels, RGB, 8, before=chunk(b"eXIf", block)), shows
    whole = png.encode(pixels, RGB, 8)
    yield "missing-iend", whole[:-12], shows
    yield "cut-iend", whole[:-5], shows
    yield "junk-after-iend", whole + b"junk" * 20, shows
    yield "junk-instead-of-iend", whole[:-12] + b"junk" * 20, shows
    yield "many-idats", png.encode(pixels, RGB, 8, pieces=60), shows
    yield "empty-idats", png.encode(pixels, RGB, 8, before=chunk(b"IDAT", b""), after=chunk(b"IDAT", b"")), shows
    text = chunk(b"tEXt", b"Comment\0hello") + chunk(b"zTXt", b"x\0\0" + zlib.compress(b"z" * 99999)) + chunk(b"prVt", b"?")
    yield "text-chunks", png.encode(pixels, RGB, 8, before=text, after=text), shows
    yield "text-with-wrong-crc", png.encode(pixels, RGB, 8, before=chunk(b"tEXt", b"Comment\0hello", 1)), shows
    control = struct.pack(">IIIIHHBB", 24, 17, 0, 0, 1, 10, 0, 0)
    other = zlib.compress(png.scanlines(255 - pixels, RGB, 8))
    frames = chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(b"fcTL", struct.pack(">I", 0) + control)
    second = chunk(b"fcTL", struct.pack(">I", 1) + control) + chunk(b"fdAT", struct.pack(">I", 2) + other)
    yield "apng", png.encode(pixels, RGB, 8, before=frames, after=second), shows
    for width, height in ((1, 1), (2, 3), (5, 7), (3, 1)):
        tiny = samples(width, height, RGB, 8)
        yield f"interlaced-{width}x{height}", png.encode(tiny, RGB, 8, True), shown(tiny, RGB, 8)


def converted(shows, profile, mode):
    """`shows` through LittleCMS from `profile` to sRGB."""
    image = Image.fromarray(np.rint(shows[..., :3]).astype(np.uint8), "RGB").convert(mode)
    image.info["icc_profile"] = profile
    return np.concatenate([np.asarray(reference.to_srgb(image)).astype(float), shows[..., 3:]], 2)


def profiled(size):
    for colour, name in ((GREY, "grey"), (RGB, "rgb"), (GREY_ALPHA, "grey-alpha"), (RGBA, "rgba")):
        pixels = samples(*size, colour, 8, picture.muted)
        profile, mode = (icc.grey(), "L") if "grey" in name else (icc.rgb(), "RGB")
        shows = converted(shown(pixels, colour, 8), profile, mode)
        yield name, png.encode(pixels, colour, 8, before=png.iccp(profile)), shows
    for name, index, before, shows in of_palette(size, 8, 0.4):
        yield name, png.encode(index, PALETTE, 8, before=png.iccp(icc.rgb()) + before), converted(shows, icc.rgb(), "RGB")


def profiles_to_ignore():
    pixels = samples(*SMALL, RGB, 8)
    shows, rgb = shown(pixels, RGB, 8), icc.rgb()
    for name, block in {
        "garbage": png.iccp(b"\x5a" * 500),
        "cut": png.iccp(rgb[:180]),
        "no-zlib": chunk(b"iCCP", b"test\0\0" + b"\x11" * 50),
        "cut-zlib": chunk(b"iCCP", b"test\0\0" + zlib.compress(rgb)[:-40]),
        "no-name": chunk(b"iCCP", b""),
        "of-grey": png.iccp(icc.grey()),
        "of-cmyk": png.iccp(icc.cmyk()),
    }.items():
        yield f"icc-{name}", png.encode(pixels, RGB, 8, before=block), shows


def sizes():
    for width, height in ((1000, 1), (1, 1000), (127, 3), (129, 1), (128, 2), (300, 47), (641, 11), (11, 641)):
        pixels = samples(width, height, RGB, 8)
        yield f"size-{width}x{height}", png.encode(pixels, RGB, 8), shown(pixels, RGB, 8)


def make(folder):
    same, resized, colour = folder("png"), folder("png-resized"), folder("png-profiled")
    families = [(same, matrix(SMALL)), (same, one_bit_keys()), (same, sixteen_bits()), (same, turned(SMALL)),
                (same, chunks()), (same, profiles_to_ignore()), (resized, matrix(MIDDLE)), (resized, sizes()),
                (resized, turned(MIDDLE)), (resized, large()), (colour, profiled(SMALL)), (colour, profiled(MIDDLE))]  # fmt: skip
    for where, cases in families:
        for name, source, shows in cases:
            name = name if where is not colour else f"{name}-{shows.shape[1]}"
            where.write(f"{name}.png", source)
            where.write(f"{name}.expected.png", reference.bytes_of(reference.shrink(shows)))
    pixels = samples(*SMALL, RGB, 8)
    same.write("wrong-extension.jpg", png.encode(pixels, RGB, 8))
    same.write("wrong-extension.expected.png", reference.bytes_of(shown(pixels, RGB, 8)))
