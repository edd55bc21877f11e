"""The picture that a thumbnail has to match: full decode, sRGB, float Lanczos3 of premultiplied samples.

Decoding is Pillow's (libjpeg-turbo, zlib) and colour management LittleCMS's; nothing here is the renderer's.
"""

import io
import math

import numpy as np
from PIL import Image, ImageCms, ImageOps

SIDE = 128
# Perceptual would also map the black points of profiles of versions 2 and 4 onto each other.
INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC


def fit(width, height, side=SIDE):
    """The size that fits `side` x `side` and is never enlarged, as Pillow's `Image.thumbnail` picks it.

    The free side is the whole number, of the two around the exact one and at least 1, whose width / height is nearest
    the source's.
    """
    if width <= side and height <= side:
        return width, height
    if width >= height:
        low = side * height // width
        return side, max(1, min((low, low + 1), key=lambda n: abs(width / height - side / n) if n else math.inf))
    low = side * width // height
    return max(1, min((low, low + 1), key=lambda n: abs(width / height - n / side))), side


def _spans(source, target):
    """For each of the target's samples, the first of the source's that weighs in it, and Lanczos3's weights."""
    scale = max(source / target, 1.0)
    for n in range(target):
        centre = (n + 0.5) * source / target
        first, last = max(0, math.floor(centre - 3 * scale)), min(source, math.ceil(centre + 3 * scale))
        x = (np.arange(first, last) + 0.5 - centre) / scale
        weights = np.where(abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)
        yield first, weights / weights.sum()


def _filter(samples, target):
    """Lanczos3 along the first axis, in double precision, without rounding or clamping."""
    spans = _spans(len(samples), target)
    return np.stack([np.tensordot(w, samples[first : first + len(w)], (0, 0)) for first, w in spans])


def _premultiplied(rgba):
    rgba = rgba.astype(float)
    rgba[..., :3] *= rgba[..., 3:] / 255
    return rgba


def shrink(rgba, size=None):
    """A picture [h, w, 4] (0..255, not premultiplied) at its thumbnail's size, premultiplied while resizing."""
    height, width = rgba.shape[:2]
    size = size or fit(width, height)
    if size == (width, height):
        return rgba.astype(float)
    # In strips of columns, since 48 megapixels in double precision take 1.5 GB.
    strips = [_filter(_premultiplied(rgba[:, x : x + 256]), size[1]) for x in range(0, width, 256)]
    small = _filter(np.concatenate(strips, 1).swapaxes(0, 1), size[0]).swapaxes(0, 1)
    alpha = small[..., 3:] / 255
    small[..., :3] = np.divide(small[..., :3], alpha, out=np.zeros_like(small[..., :3]), where=alpha > 1e-6)
    return np.clip(small, 0, 255)


def to_srgb(image):
    """`image` in sRGB: its embedded profile applied if it is sound and fits the mode."""
    profile = image.info.get("icc_profile")
    alpha = image.getchannel("A") if image.mode in ("RGBA", "LA") else None
    colour = image.convert({"RGBA": "RGB", "LA": "L"}.get(image.mode, image.mode))
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            colour = ImageCms.profileToProfile(colour, source, ImageCms.createProfile("sRGB"), INTENT, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            pass
    colour = colour.convert("RGB")
    if alpha is not None:
        colour.putalpha(alpha)
    return colour


def decode(source):
    """The whole picture behind `source` (bytes), upright, in sRGB, as an array [h, w, 4] of bytes."""
    image = Image.open(io.BytesIO(source))
    image.load()
    profile, orientation = image.info.get("icc_profile"), image.getexif().get(0x0112, 1)
    image = ImageOps.exif_transpose(image) if orientation in range(2, 9) else image
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif image.mode == "I;16":
        # Pillow's own conversion clips whatever is above 255.
        image = Image.fromarray(np.rint(np.asarray(image) / 257).astype(np.uint8))
    image.info["icc_profile"] = profile
    return np.asarray(to_srgb(image).convert("RGBA"))


def bytes_of(rgba):
    """The float picture rounded to the smallest of grey, grey and alpha, RGB, RGBA that holds it, as a PNG."""
    pixels = np.clip(np.rint(rgba), 0, 255).astype(np.uint8)
    grey = (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all()
    opaque = (pixels[..., 3] == 255).all()
    image = Image.fromarray(pixels, "RGBA").convert({(1, 1): "L", (1, 0): "LA", (0, 1): "RGB", (0, 0): "RGBA"}[grey, opaque])
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
