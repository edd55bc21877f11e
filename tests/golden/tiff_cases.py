"""TIFF cases: coded by libtiff through Pillow, and by tifffile where Pillow can't. They show the samples that were written."""

import io

import exif
import icc
import numpy as np
import picture
import reference
import tifffile
from PIL import Image
from png import GREY, GREY_ALPHA, RGB, RGBA
from png_cases import MIDDLE, SMALL, TURNS, converted, samples, shown

CODINGS = {"raw": None, "lzw": "tiff_lzw", "deflate": "tiff_adobe_deflate", "packbits": "packbits"}


def by_pillow(image, coding=None, **options):
    out = io.BytesIO()
    image.save(out, "TIFF", compression=coding, **options)
    return out.getvalue()


def by_tifffile(pixels, **options):
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, metadata=None, **options)
    return out.getvalue()


def coded(size):
    for label, coding in CODINGS.items():
        for name, colour, mode in (("grey", GREY, "L"), ("rgb", RGB, "RGB"), ("rgba", RGBA, "RGBA"), ("grey-alpha", GREY_ALPHA, "LA")):
            pixels = samples(*size, colour, 8)
            image = Image.fromarray(pixels.astype(np.uint8).squeeze(), mode)
            yield f"{name}-{label}", by_pillow(image, coding), shown(pixels, colour, 8)
        pixels = samples(*size, GREY, 1)
        image = Image.fromarray((pixels[..., 0] * 255).astype(np.uint8)).convert("1")
        yield f"grey-1-{label}", by_pillow(image, coding), shown(pixels, GREY, 1)
        pixels = samples(*size, GREY, 16)
        yield f"grey-16-{label}", by_pillow(Image.fromarray(pixels[..., 0].astype(np.uint16)), coding), shown(pixels, GREY, 16)
        t = np.linspace(0, 1, 256)
        colours = np.rint(255 * np.stack([t, 0.5 + 0.5 * np.sin(5 * t), 1 - t**2], 1)).astype(np.uint8)
        index = samples(*size, GREY, 8)[..., 0].astype(np.uint8)
        image = Image.fromarray(index, "L").convert("P")
        image.putdata(index.ravel().tolist())
        image.putpalette(colours.tobytes())
        shows = np.concatenate([colours[index].astype(float), np.full(index.shape + (1,), 255.0)], 2)
        yield f"palette-{label}", by_pillow(image, coding), shows


def laid_out(size):
    rgb, rgba = samples(*size, RGB, 8), samples(*size, RGBA, 8)
    shows = shown(rgb, RGB, 8)
    yield "tiles", by_tifffile(rgb.astype(np.uint8), tile=(16, 32), photometric="rgb"), shows
    yield "tiles-deflate", by_tifffile(rgb.astype(np.uint8), tile=(16, 16), photometric="rgb", compression="zlib", predictor=True), shows
    yield "strips-of-3", by_tifffile(rgb.astype(np.uint8), rowsperstrip=3, photometric="rgb"), shows
    planar = rgb.astype(np.uint8).transpose(2, 0, 1)
    yield "planar", by_tifffile(planar, photometric="rgb", planarconfig="separate"), shows
    yield "big-endian", by_tifffile(rgb.astype(">u2") * 257, photometric="rgb", byteorder=">"), shows
    sixteen = samples(*size, RGBA, 16)
    yield "rgba-16", by_tifffile(sixteen.astype(np.uint16), photometric="rgb", extrasamples=["unassalpha"]), shown(sixteen, RGBA, 16)
    yield "float", by_tifffile((rgb / 255).astype(np.float32), photometric="rgb"), shows
    grey = samples(*size, GREY, 8)
    yield "white-is-zero", by_tifffile((255 - grey[..., 0]).astype(np.uint8), photometric="miniswhite"), shown(grey, GREY, 8)
    if size is MIDDLE:
        yield associated(rgba)
    pages = io.BytesIO()
    with tifffile.TiffWriter(pages) as writer:
        writer.write(rgb.astype(np.uint8), photometric="rgb", metadata=None)
        writer.write(255 - rgb.astype(np.uint8), photometric="rgb", metadata=None)
    yield "two-pages", pages.getvalue(), shown(rgb, RGB, 8)


def associated(rgba):
    """Colours that are stored multiplied by their alpha, so that only the product is exact."""
    premultiplied = rgba.copy()
    premultiplied[..., :3] = np.rint(rgba[..., :3] * rgba[..., 3:] / 255)
    shows = premultiplied.astype(float)
    shows[..., :3] = np.divide(shows[..., :3] * 255, shows[..., 3:], out=np.zeros(shows[..., :3].shape), where=shows[..., 3:] > 0)
    return "associated", by_tifffile(premultiplied.astype(np.uint8), photometric="rgb", extrasamples=["assocalpha"]), shows


def turned():
    pixels = samples(*SMALL, RGB, 8)
    for value, turn in TURNS.items():
        source = by_tifffile(pixels.astype(np.uint8), photometric="rgb", extratags=[(0x0112, 3, 1, value, True)])
        yield f"orientation-{value}", source, turn(shown(pixels, RGB, 8))


def profiled(size):
    pixels = samples(*size, RGB, 8, picture.muted)
    source = by_pillow(Image.fromarray(pixels.astype(np.uint8)), "tiff_lzw", icc_profile=icc.rgb())
    yield f"rgb-{size[0]}", source, converted(shown(pixels, RGB, 8), icc.rgb(), "RGB")


def inks(size):
    planes = np.rint(np.stack(picture.inks(*size), 2)).astype(np.uint8)
    image = Image.fromarray(planes, "CMYK")
    light = (255 - planes[..., :3].astype(float)) * (255 - planes[..., 3:].astype(float)) / 255
    yield f"cmyk-{size[0]}", by_pillow(image, "tiff_lzw"), np.concatenate([light, np.full(light.shape[:2] + (1,), 255.0)], 2)


def make(folder):
    same, resized = folder("tiff"), folder("tiff-resized")
    colour, cmyk = folder("tiff-profiled"), folder("tiff-inks")
    families = [(same, coded(SMALL)), (same, laid_out(SMALL)), (same, turned()), (resized, coded(MIDDLE)),
                (resized, laid_out(MIDDLE)), (colour, profiled(SMALL)), (colour, profiled(MIDDLE)),
                (cmyk, inks(SMALL)), (cmyk, inks(MIDDLE))]  # fmt: skip
    for where, cases in families:
        for name, source, shows in cases:
            where.write(f"{name}.tif", source)
            where.write(f"{name}.expected.png", reference.bytes_of(reference.shrink(shows)))
