"""How near a thumbnail is to a full decode and a float Lanczos3 (tests/golden/reference.py)."""

import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))
import reference  # noqa: E402


def pixels(path):
    return premultiplied(reference.decode(path.read_bytes()))


def premultiplied(rgba):
    rgba = rgba.astype(float)
    return np.concatenate([rgba[..., :3] * rgba[..., 3:] / 255, rgba[..., 3:]], 2)


def expected(path, size, store):
    """The reference of a photograph at a size; kept under `store`, since 48 megapixels take their time."""
    kept = store / f"{path.name}-{size[0]}x{size[1]}.npy"
    # One that an older reference.py made may be wrong.
    if not kept.exists() or kept.stat().st_mtime < pathlib.Path(reference.__file__).stat().st_mtime:
        store.mkdir(parents=True, exist_ok=True)
        np.save(kept, premultiplied(reference.shrink(reference.decode(path.read_bytes()), size)))
    return np.load(kept)


def psnr(a, b):
    """Over red, green and blue, and alpha too where there is any."""
    channels = 3 if (a[..., 3] == 255).all() and (b[..., 3] > 254.9).all() else 4
    return 10 * np.log10(255**2 / max(np.mean((a - b)[..., :channels] ** 2), 1e-6))


def _blur(plane):
    """Wang et al.'s window: a Gaussian of 11 samples, sigma 1.5, inside the picture only."""
    kernel = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    kernel /= kernel.sum()
    for axis in (0, 1):
        plane = np.apply_along_axis(np.convolve, axis, plane, kernel, "valid")
    return plane


def ssim(a, b):
    """Mean structural similarity of the luma (Wang et al. 2004); the pictures must be 11 pixels or more."""
    x, y = (0.299 * p[..., 0] + 0.587 * p[..., 1] + 0.114 * p[..., 2] for p in (a, b))
    mx, my = _blur(x), _blur(y)
    vx, vy, cov = _blur(x * x) - mx**2, _blur(y * y) - my**2, _blur(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(np.mean((2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))))
