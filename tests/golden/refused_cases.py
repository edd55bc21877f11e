"""Files that must be refused, by the label of the refusal."""

import io
import struct
import zlib

import jpeg
import jpeg_cases
import picture
import png
import png_cases
from PIL import Image
from png import RGB, chunk


def other_formats():
    image = Image.fromarray(picture.rgb(16, 12).round().astype("uint8"), "RGB")
    for kind in ("GIF", "WEBP", "TIFF", "BMP", "ICO", "AVIF"):
        out = io.BytesIO()
        image.save(out, kind)
        yield f"{kind.lower()}.jpg", out.getvalue()
    yield "tiff-big-endian.jpg", b"MM\0*\0\0\0\x08" + bytes(20)
    yield "pdf.png", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="5" height="5"/></svg>'
    yield "svg.png", svg
    yield "svg-with-declaration.png", b'<?xml version="1.0"?>\n<!-- drawn -->\n' + svg


def other_codings():
    whole = jpeg_cases.ycc(32, 24)
    yield "arithmetic.jpg", jpeg_cases.jpegtran(whole, "-arithmetic")
    yield "arithmetic-progressive.jpg", jpeg_cases.jpegtran(whole, "-arithmetic", "-progressive")
    yield "twelve-bits.jpg", whole.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c")
    yield "lossless.jpg", whole.replace(b"\xff\xc0", b"\xff\xc3")
    yield "differential.jpg", whole.replace(b"\xff\xc0", b"\xff\xc5")


def no_pictures():
    yield "empty.jpg", b""
    yield "one-byte.jpg", b"\xff"
    yield "two-bytes.jpg", b"\xff\xd8"
    yield "zeros.png", bytes(100)
    yield "text.jpg", b"This is a text, whatever its name says.\n"
    yield "html.jpg", b"<!DOCTYPE html><html><body>404</body></html>"
    yield "signature-of-text-mode.png", b"\x89PNG\n\x1a\n" + small_png()[8:]


def small_png():
    return png.encode(png_cases.samples(24, 17, RGB, 8), RGB, 8)


def cut():
    baseline, progressive = jpeg_cases.ycc(64, 48), jpeg_cases.pillow(64, 48, progressive=True)
    start, end = jpeg_cases.scans(baseline)[0]
    yield "jpeg-in-scan.jpg", baseline[: (start + end) // 2]
    yield "jpeg-in-last-mcu.jpg", baseline[: end - 3]
    yield "jpeg-before-scan.jpg", baseline[: start + 4]
    yield "jpeg-in-tables.jpg", baseline[:40]
    wide = jpeg_cases.ycc(1040, 72)
    yield "jpeg-in-last-mcu-reduced.jpg", wide[: jpeg_cases.scans(wide)[0][1] - 8]
    split = jpeg_cases.ycc(64, 48, interleaved=False)
    yield "jpeg-without-last-scan.jpg", split[: jpeg_cases.scans(split)[2][0]]
    first = jpeg_cases.scans(progressive)
    yield "progressive-in-first-scan.jpg", progressive[: first[0][1] - 20]
    yield "progressive-in-last-scan.jpg", progressive[: first[-1][0] + 20]
    yield "progressive-without-eoi.jpg", progressive[:-2]
    large = jpeg_cases.pillow(*jpeg_cases.HUGE, subsampling=0, progressive=True)
    yield "progressive-without-eoi-large.jpg", large[:-2]
    whole = small_png()
    yield "png-in-idat.png", whole[:400]
    yield "png-in-header.png", whole[:20]
    yield "png-signature-only.png", whole[:8]
    yield "png-without-idat.png", whole[: whole.index(b"IDAT") - 4]
    yield "png-without-end-of-idat.png", whole[: -12 - 8]


def corrupt():
    baseline = jpeg_cases.ycc(64, 48)
    # Sixteen ones are no code of annex K's tables (nor may they be of any: C.2).
    for name, sound in (("jpeg-no-such-code", baseline), ("jpeg-no-such-code-reduced", jpeg_cases.ycc(1040, 72))):
        at = jpeg_cases.scans(sound)[0][0] + 200
        yield f"{name}.jpg", sound[:at] + b"\xff\0" * 8 + sound[at + 16 :]
    yield "jpeg-eoi-in-scan.jpg", baseline[: sum(jpeg_cases.scans(baseline)[0]) // 2] + jpeg.EOI
    yield "jpeg-without-quantisation.jpg", baseline.replace(b"\xff\xdb", b"\xff\xfe")
    yield "jpeg-no-width.jpg", baseline.replace(b"\x08\0\x30\0\x40\x03", b"\x08\0\x30\0\0\x03")
    yield "jpeg-no-components.jpg", baseline.replace(b"\x08\0\x30\0\x40\x03", b"\x08\0\x30\0\x40\0")
    yield "jpeg-sampling-zero.jpg", baseline.replace(b"\x40\x03\1\x11", b"\x40\x03\1\x01")
    pixels = png_cases.samples(24, 17, RGB, 8)
    lines = png.scanlines(pixels, RGB, 8)
    stream = zlib.compress(lines, 9)

    def made(stream, crc=None, head=None, before=b""):
        head = png.header(24, 17, RGB, 8) if head is None else head
        return png.SIGNATURE + head + before + chunk(b"IDAT", stream, crc) + chunk(b"IEND", b"")

    yield "png-idat-crc.png", made(stream, 0x12345678)
    yield "png-adler.png", made(stream[:-4] + b"\1\2\3\4")
    yield "png-ihdr-crc.png", made(stream, head=chunk(b"IHDR", struct.pack(">IIBBBBB", 24, 17, 8, 2, 0, 0, 0), 1))
    yield "png-filter-five.png", made(zlib.compress(b"\5" + lines[1:], 9))
    yield "png-no-zlib.png", made(b"\0" * 50)
    yield "png-depth-three.png", made(stream, head=png.header(24, 17, RGB, 3))
    yield "png-colour-five.png", made(stream, head=png.header(24, 17, 5, 8))
    yield "png-no-width.png", made(stream, head=png.header(0, 17, RGB, 8))
    yield "png-without-palette.png", made(zlib.compress(bytes(17 * 25)), head=png.header(24, 17, png.PALETTE, 8))


def too_large():
    whole = small_png()
    yield "png.png", png.SIGNATURE + png.header(60000, 60000, RGB, 8) + whole[33:]
    frame = jpeg_cases.ycc(64, 48).replace(b"\x08\0\x30\0\x40\x03", b"\x08\xff\xdc\xff\xdc\x03")
    yield "jpeg.jpg", frame
    yield "jpeg-progressive.jpg", frame.replace(b"\xff\xc0", b"\xff\xc2")


def make(folder):
    families = {
        "unsupported": [other_formats(), other_codings()],
        "not_an_image": [no_pictures()],
        "truncated": [cut()],
        "corrupt": [corrupt()],
        "too_many_pixels": [too_large()],
    }
    for label, cases in families.items():
        where = folder(f"refused/{label}")
        for family in cases:
            for name, source in family:
                where.write(name, source)
