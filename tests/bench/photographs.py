"""Makes the pictures to measure, one folder per class, out of Debian's wallpapers: `photographs.py WALLPAPERS OUT [formats]`.

With `formats` these are WebP and GIF, else JPEG and PNG.

Sizes above the photographs' own are mosaics of them, so that the pixels' statistics stay those of photographs; one
is an enlargement with grain. Nothing carries a profile or an orientation, which one of the peers would ignore.
"""

import pathlib
import sys

import numpy as np
import pyvips
from PIL import Image

Image.MAX_IMAGE_PIXELS = None
PHOTOS = [
    "backgrounds/mate/nature/Garden.jpg",
    "wallpapers/ColorfulCups/contents/images/2560x1600.jpg",
    "backgrounds/mate/nature/LadyBird.jpg",
    "wallpapers/FallenLeaf/contents/images/2560x1600.jpg",
    "backgrounds/mate/nature/YellowFlower.jpg",
    "wallpapers/Autumn/contents/images/2560x1600.jpg",
    "backgrounds/mate/nature/Aqua.jpg",
    "wallpapers/BytheWater/contents/images/2560x1600.jpg",
    "backgrounds/mate/nature/TwoWings.jpg",
]
CODINGS = {"q85-420": (85, 2), "q95-444": (95, 0), "q85-444": (85, 0), "q95-420": (95, 2)}


class Sources:
    def __init__(self, wallpapers):
        self.folder = wallpapers / "usr/share"
        self.photos = [self.open(path) for path in PHOTOS]

    def open(self, path):
        return Image.open(self.folder / path).convert("RGB")

    def mosaic(self, width, height):
        """Photographs side by side, each at its own size, from the middle outwards."""
        columns, rows = -(-width // 2560), -(-height // 1600)
        whole = Image.new("RGB", (columns * 2560, rows * 1600))
        for n in range(columns * rows):
            photo = self.photos[n % len(self.photos)].resize((2560, 1600))
            whole.paste(photo, (n % columns * 2560, n // columns * 1600))
        return whole.crop((0, 0, width, height))

    def grainy(self, width, height):
        """An enlargement with the grain of a sensor, without which it would have next to no high frequencies."""
        large = self.open("backgrounds/mate/abstract/Elephants_5640x3172.jpg").resize((width, height), Image.LANCZOS)
        grain = np.random.default_rng(1).normal(0, 4, (height, width, 1)).astype(np.float32)
        return Image.fromarray(np.clip(np.asarray(large) + grain, 0, 255).astype(np.uint8))


def jpegs(out, sources):
    large = [(f"4mp-{n}", photo) for n, photo in enumerate(sources.photos[:4])]
    large += [("12mp-mosaic", sources.mosaic(4000, 3000)), ("12mp-grainy", sources.grainy(4618, 2598))]
    large += [("48mp-mosaic", sources.mosaic(8000, 6000)), ("48mp-grainy", sources.grainy(9236, 5196))]
    small = [(f"{side}-{n}", photo.resize(size, Image.LANCZOS)) for n, photo in enumerate(sources.photos[4:8])
             for side, size in (("800x600", (800, 600)), ("320x240", (320, 240)))]  # fmt: skip
    for progressive in (False, True):
        kind = "progressive" if progressive else "baseline"
        for n, (name, image) in enumerate(large):
            two = list(CODINGS)[:2] if not name.startswith("4mp") else [list(CODINGS)[n]]
            for coding in two:
                save(image, out / f"jpeg-{kind}" / f"{name}-{coding}.jpg", coding, progressive)
        for n, (name, image) in enumerate(small):
            coding = list(CODINGS)[n // 2 % 2]
            save(image, out / "jpeg-small" / f"{name}-{coding}-{kind}.jpg", coding, progressive)


def save(image, path, coding, progressive):
    quality, subsampling = CODINGS[coding]
    image.save(path, quality=quality, subsampling=subsampling, progressive=progressive, optimize=progressive)


def pngs(out, sources):
    for n, photo in enumerate(sources.photos[:3]):
        photo.resize((1800, 1125), Image.LANCZOS).save(out / "png-rgb" / f"2mp-{n}.png")
    sources.mosaic(4000, 3000).save(out / "png-rgb" / "12mp-mosaic.png")
    sources.grainy(4618, 2598).save(out / "png-rgb" / "12mp-grainy.png")
    for name in ("Canopee", "Cascade"):
        drawn = sources.open(f"wallpapers/{name}/contents/images/3840x2160.png")
        drawn.save(out / "png-rgb" / f"8mp-drawn-{name.lower()}.png")
    photo = sources.photos[0].resize((1800, 1125), Image.LANCZOS)
    photo.quantize(256).save(out / "png-palette" / "photo.png")
    sources.open("wallpapers/Opal/contents/images/3840x2160.png").quantize(64).save(out / "png-palette" / "drawn.png")
    shape = np.clip(np.hypot(*np.mgrid[-1 : 1 : 1125j, -1 : 1 : 1800j]) * 400 - 150, 0, 255).astype(np.uint8)
    clear = photo.copy()
    clear.putalpha(Image.fromarray(255 - shape))
    clear.save(out / "png-rgba" / "photo.png")
    icon = Image.open(sources.folder / "wallpapers/FlyingKonqui/contents/images/2560x1600.png")
    icon.info.clear()
    icon.save(out / "png-rgba" / "drawn.png")
    deep = np.asarray(photo).astype(np.uint16) * 257
    pyvips.Image.new_from_array(deep, interpretation="rgb16").pngsave(str(out / "png-16-bit" / "photo.png"), filter="all")
    grey = np.asarray(sources.photos[2].convert("L")).astype(np.uint16) * 257
    pyvips.Image.new_from_array(grey, interpretation="grey16").pngsave(str(out / "png-16-bit" / "grey.png"), filter="all")
    for n in (0, 3):
        image = pyvips.Image.new_from_array(np.asarray(sources.photos[n].resize((1800, 1125), Image.LANCZOS)))
        image.pngsave(str(out / "png-interlaced" / f"photo-{n}.png"), interlace=True, filter="all")


def formats(out, sources):
    mosaic = sources.mosaic(4000, 3000)
    mosaic.save(out / "webp-lossy" / "12mp-mosaic.webp", quality=80)
    sources.grainy(4618, 2598).save(out / "webp-lossy" / "12mp-grainy.webp", quality=80)
    mosaic.save(out / "webp-lossless" / "12mp-mosaic.webp", lossless=True)
    sources.photos[0].resize((1800, 1125), Image.LANCZOS).quantize(256).save(out / "gif" / "2mp-photo.gif")
    drawn = sources.open("wallpapers/Opal/contents/images/3840x2160.png").resize((1920, 1080), Image.LANCZOS)
    drawn.quantize(64).save(out / "gif" / "2mp-drawn.gif")


FORMATS = ("webp-lossy", "webp-lossless", "gif")
CLASSES = ("jpeg-baseline", "jpeg-progressive", "jpeg-small", "png-rgb", "png-palette", "png-16-bit", "png-rgba",
           "png-interlaced")  # fmt: skip


def main():
    wallpapers, out = map(pathlib.Path, sys.argv[1:3])
    others = sys.argv[3:] == ["formats"]
    if (out / "complete").exists():
        return
    for name in FORMATS if others else CLASSES:
        (out / name).mkdir(parents=True, exist_ok=True)
    sources = Sources(wallpapers)
    if others:
        formats(out, sources)
    else:
        jpegs(out, sources)
        pngs(out, sources)
    (out / "complete").touch()


if __name__ == "__main__":
    main()
