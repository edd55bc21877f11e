"""A small baseline JPEG encoder (ITU-T T.81) for codings that Pillow can't write.

Any sampling factors, component ids, scan layout and colour transform; Huffman tables of annex K.
It is slow and plain on purpose: what it writes is decoded by libjpeg-turbo for the expected pictures.
"""

import struct

import numpy as np

SOI, EOI = b"\xff\xd8", b"\xff\xd9"

# fmt: off
LUMINANCE = np.array([
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99]).reshape(8, 8)
ZIGZAG = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55,
    62, 63]
DC_COUNTS = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
DC_SYMBOLS = list(range(12))
AC_COUNTS = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D]
AC_SYMBOLS = list(bytes.fromhex(
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a"
    "434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9"
    "aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"))
# fmt: on


def segment(marker, payload):
    """A marker segment: 0xFF, the marker, the length, the payload (B.1.1.4)."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def exif(tiff):
    return segment(0xE1, b"Exif\0\0" + tiff)


def icc(profile, chunk=60000, order=None):
    """APP2 segments of a profile in chunks, in the order given."""
    parts = [profile[i : i + chunk] for i in range(0, len(profile), chunk)]
    made = [segment(0xE2, b"ICC_PROFILE\0" + bytes([n + 1, len(parts)]) + part) for n, part in enumerate(parts)]
    return b"".join(made[n] for n in (order or range(len(made))))


def _codes(counts, symbols):
    """Symbol -> (code, length), annex C."""
    table, code, k = {}, 0, 0
    for length, count in enumerate(counts, 1):
        for _ in range(count):
            table[symbols[k]] = (code, length)
            code, k = code + 1, k + 1
        code <<= 1
    return table


DC_CODES, AC_CODES = _codes(DC_COUNTS, DC_SYMBOLS), _codes(AC_COUNTS, AC_SYMBOLS)
_K = np.arange(8)
DCT = np.where(_K[:, None] == 0, np.sqrt(1 / 8), 0.5) * np.cos((2 * _K[None, :] + 1) * _K[:, None] * np.pi / 16)


class _Bits:
    def __init__(self):
        self.bits = []

    def put(self, value, length):
        self.bits.append(format(value, f"0{length}b") if length else "")

    def symbol(self, codes, symbol, value, size):
        self.put(*codes[symbol])
        self.put(value if value >= 0 else value + (1 << size) - 1, size)

    def bytes(self):
        text = "".join(self.bits)
        text += "1" * (-len(text) % 8)
        raw = int(text, 2).to_bytes(len(text) // 8, "big") if text else b""
        return raw.replace(b"\xff", b"\xff\x00")


def _block(bits, block, predictor):
    dc = int(block[0]) - predictor
    bits.symbol(DC_CODES, abs(dc).bit_length(), dc, abs(dc).bit_length())
    run = 0
    last = max((k for k in range(1, 64) if block[k]), default=0)
    for k in range(1, last + 1):
        value = int(block[k])
        if value == 0:
            run += 1
            continue
        while run > 15:
            bits.put(*AC_CODES[0xF0])
            run -= 16
        size = abs(value).bit_length()
        bits.symbol(AC_CODES, run << 4 | size, value, size)
        run = 0
    if last < 63:
        bits.put(*AC_CODES[0])
    return int(block[0])


def _blocks(plane, across, down, table):
    """Quantised blocks in zigzag order, as [row, column, 64]; the edge is repeated up to whole MCUs."""
    plane = np.pad(plane, ((0, down * 8 - plane.shape[0]), (0, across * 8 - plane.shape[1])), mode="edge") - 128.0
    blocks = plane.reshape(down, 8, across, 8).swapaxes(1, 2)
    quantised = np.rint(DCT @ blocks @ DCT.T / table).astype(int)
    return quantised.reshape(down, across, 64)[..., ZIGZAG]


def _entropy(order, blocks, restart, count):
    """The entropy-coded data of one scan; `order` yields one list of (component, row, column) per MCU."""
    out, bits, predictors = [], _Bits(), [0] * count
    for n, mcu in enumerate(order):
        if restart and n and n % restart == 0:
            out += [bits.bytes(), bytes([0xFF, 0xD0 + (n // restart - 1) % 8])]
            bits, predictors = _Bits(), [0] * count
        for c, y, x in mcu:
            predictors[c] = _block(bits, blocks[c][y, x], predictors[c])
    return b"".join(out) + bits.bytes()


def encode(planes, sampling=None, ids=None, interleaved=True, head=b"", quality=90, restart=0, wide_tables=False):
    """A JPEG of full-size planes (float, 0..255), each averaged down to its sampling factors.

    `head` goes after SOI: JFIF, Adobe, Exif, ICC... `wide_tables` writes 16-bit quantisation tables, hence SOF1.
    """
    count = len(planes)
    sampling, ids = sampling or [(1, 1)] * count, ids or list(range(1, count + 1))
    height, width = planes[0].shape
    hmax, vmax = max(h for h, _ in sampling), max(v for _, v in sampling)
    mcus_x, mcus_y = -(-width // (8 * hmax)), -(-height // (8 * vmax))
    table = np.clip(np.rint(LUMINANCE * (200 - 2 * quality) / 100), 1, 255).astype(int)
    blocks, sizes = [], []
    for plane, (h, v) in zip(planes, sampling):
        fx, fy = hmax // h, vmax // v
        padded = np.pad(plane, ((0, -height % fy), (0, -width % fx)), mode="edge")
        small = padded.reshape(padded.shape[0] // fy, fy, padded.shape[1] // fx, fx).mean((1, 3))
        blocks.append(_blocks(small, mcus_x * h, mcus_y * v, table))
        sizes.append((-(-small.shape[0] // 8), -(-small.shape[1] // 8)))
    zigzag = table.reshape(64)[ZIGZAG]
    dqt = bytes([0x10]) + b"".join(struct.pack(">H", q) for q in zigzag) if wide_tables else bytes([0, *zigzag])
    frame = struct.pack(">BHHB", 8, height, width, count)
    frame += b"".join(bytes([i, h << 4 | v, 0]) for i, (h, v) in zip(ids, sampling))
    out = [SOI, head, segment(0xDB, dqt), segment(0xC1 if wide_tables else 0xC0, frame)]
    out.append(segment(0xC4, bytes([0x00, *DC_COUNTS, *DC_SYMBOLS, 0x10, *AC_COUNTS, *AC_SYMBOLS])))
    if restart:
        out.append(segment(0xDD, struct.pack(">H", restart)))
    scans = [list(range(count))] if interleaved else [[c] for c in range(count)]
    for scan in scans:
        if len(scan) > 1:
            order = (
                [(c, my * v + y, mx * h + x) for c in scan for h, v in [sampling[c]] for y in range(v) for x in range(h)]
                for my in range(mcus_y)
                for mx in range(mcus_x)
            )
        else:
            c = scan[0]
            order = ([(c, y, x)] for y in range(sizes[c][0]) for x in range(sizes[c][1]))
        start = bytes([len(scan), *(b for c in scan for b in (ids[c], 0)), 0, 63, 0])
        out += [segment(0xDA, start), _entropy(order, blocks, restart, count)]
    return b"".join(out) + EOI


def ycbcr(rgb):
    """JFIF's YCbCr planes of an RGB array (float, 0..255)."""
    r, g, b = (rgb[..., c].astype(float) for c in range(3))
    y = 0.299 * r + 0.587 * g + 0.114 * b
    return [y, (b - y) / 1.772 + 128, (r - y) / 1.402 + 128]


JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")


def adobe(transform):
    return segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform))
