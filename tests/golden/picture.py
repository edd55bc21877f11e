"""The smooth, lopsided pictures that the cases hold: every turn, flip and swapped channel of them shows."""

import numpy as np


def _grid(width, height):
    x, y = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    return np.meshgrid(x, y)


def rgb(width, height):
    """Floats 0..255 [h, w, 3], at most two waves across."""
    x, y = _grid(width, height)
    red = 0.15 + 0.7 * x * (1 - 0.6 * y)
    green = 0.5 + 0.35 * np.sin(2 * np.pi * (1.3 * x + 0.4 * y))
    blue = 0.2 + 0.6 * y + 0.15 * np.cos(2 * np.pi * (0.7 * x - y))
    return np.clip(np.stack([red, green, blue], 2), 0, 1) * 255


def muted(width, height):
    """`rgb` with so little saturation that a wide gamut's colours stay inside sRGB's, where nothing is cut off."""
    return 128 + (rgb(width, height) - 128) * 0.4


def grey(width, height):
    """Floats 0..255 [h, w]."""
    x, y = _grid(width, height)
    return np.clip(0.1 + 0.6 * x + 0.25 * y * np.sin(2 * np.pi * 1.2 * x), 0, 1) * 255


def alpha(width, height):
    """Floats 0..255 [h, w], clear at the left, opaque at the right."""
    x, y = _grid(width, height)
    return np.clip(1.4 * x + 0.3 * y - 0.4, 0, 1) * 255


def inks(width, height):
    """Four planes of ink, 0..255."""
    x, y = _grid(width, height)
    return [255 * v for v in (0.7 * x, 0.6 * (1 - y), 0.5 * x * y + 0.1, 0.35 * (1 - x) * y)]
