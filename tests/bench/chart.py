"""The README's chart: CPU per thumbnail of each peer, as multiples of ours. `chart.py WORK` writes WORK/chart.svg."""

import json
import pathlib
import sys
from xml.sax.saxutils import escape

from report import PEERS, geometric_mean, ratios

# Every class of photographs.py, by column.
LABELS = {
    "jpeg-baseline": "JPEG, 4 to 48 MP",
    "png-rgb": "RGB PNG, 2 to 12 MP",
    "jpeg-progressive": "Progressive JPEG, 4 to 48 MP",
    "png-rgba": "RGBA PNG, 2 to 4 MP",
    "jpeg-small": "JPEG of both kinds, under 0.5 MP",
    "png-palette": "Palette PNG, 2 to 8 MP",
    "png-16-bit": "16-bit PNG, 2 to 4 MP",
    "png-interlaced": "Interlaced PNG, 2 MP",
}
NAMES = {"ours": "gcs-thumbnailer", "pillow": "Pillow 13.0", "sharp": "sharp 0.35", "pyvips": "pyvips 3.2"}
COLUMNS, WIDTH, MARGIN, TOP = 2, 790, 20, 76
# Inside a class: from its left edge to its bars, the longest bar, from one bar to the next, and the title and the gap.
LEFT, LONGEST, LINE, REST = 112, 200, 17, 42
# A page behind the text, since GitHub's theme needn't be the browser's.
STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif }
.head { font-size: 15px; font-weight: 600; fill: #1f2328 } .class { font-size: 13px; font-weight: 600; fill: #1f2328 }
.note { fill: #59636e } .page { fill: #ffffff } .peer { fill: #8c959f } .ours { fill: #0969da }
@media (prefers-color-scheme: dark) {
  .head, .class { fill: #f0f6fc } .note { fill: #9198a1 }
  .page { fill: #0d1117 } .peer { fill: #656c76 } .ours { fill: #4493f8 }
}
"""


def text(x, y, content, css="note", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{css}" text-anchor="{anchor}">{escape(content)}</text>'


def bars(x, y, label, files):
    """A class: its longest bar has the full length."""
    times = {peer: geometric_mean(ratios(files, peer, "cpu_ms").values()) for peer in ("ours", *PEERS)}
    ours_ms = geometric_mean([by["ours"]["cpu_ms"] for by in files.values()])
    scale = LONGEST / max(times.values())
    yield text(x, y + 14, label, "class")
    for n, (peer, value) in enumerate(times.items()):
        top, width = y + 22 + n * LINE, value * scale
        yield text(x + LEFT - 8, top + 11, NAMES[peer], anchor="end")
        css = "ours" if peer == "ours" else "peer"
        yield f'<rect x="{x + LEFT:.1f}" y="{top:.1f}" width="{width:.1f}" height="{LINE - 4}" rx="2" class="{css}"/>'
        yield text(x + LEFT + width + 6, top + 11, f"{ours_ms:.1f} ms" if peer == "ours" else f"{value:.1f}×")


def draw(results):
    parts = [
        text(MARGIN, 30, "CPU time per 128-pixel thumbnail, as multiples of gcs-thumbnailer's", "head"),
        text(MARGIN, 50, "Geometric means over each class of pictures. Shorter is better; every class has a scale of its own."),
    ]
    classes = [name for name in LABELS if name in results]
    step_x, step_y = (WIDTH - 2 * MARGIN) / COLUMNS, (1 + len(PEERS)) * LINE + REST
    for n, name in enumerate(classes):
        row, column = divmod(n, COLUMNS)
        parts += bars(MARGIN + column * step_x, TOP + row * step_y, LABELS[name], results[name])
    height = TOP + -(-len(classes) // COLUMNS) * step_y
    title = "<title>CPU time per thumbnail against Pillow, sharp and pyvips</title>"
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    page = f'<rect width="{WIDTH}" height="{height}" rx="6" class="page"/>'
    return "\n".join([head, title, f"<style>{STYLE}</style>", page, *parts, "</svg>"]) + "\n"


def main():
    work = pathlib.Path(sys.argv[1])
    (work / "chart.svg").write_text(draw(json.loads((work / "results.json").read_text())), encoding="utf-8")


if __name__ == "__main__":
    main()
