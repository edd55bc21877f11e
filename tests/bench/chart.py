"""The README's chart: CPU per thumbnail of each peer, as multiples of ours. `chart.py WORK` writes WORK/chart.svg."""

import json
import pathlib
import sys
from xml.sax.saxutils import escape

from report import PEERS, geometric_mean, ratios

LABELS = {
    "jpeg-baseline": "JPEG, 4 to 48 MP",
    "jpeg-progressive": "progressive JPEG, 4 to 48 MP",
    "jpeg-small": "JPEG under 1 MP",
    "png-rgb": "RGB PNG, 2 to 12 MP",
}
NAMES = {"ours": "gcs-thumbnailer", "pillow": "Pillow 13", "sharp": "sharp 0.35", "pyvips": "pyvips 8.18"}
WIDTH, LEFT, RIGHT, BAR, GAP, TOP = 760, 230, 60, 13, 16, 56
# One hue for what is ours, greys for the rest; the text takes the page's colour scheme.
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .note { font-size: 12px; fill: #59636e }
.ours { fill: #0969da } .pillow { fill: #8c959f } .sharp { fill: #afb8c1 } .pyvips { fill: #d0d7de }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .note { fill: #9198a1 }
  .ours { fill: #4493f8 } .pillow { fill: #8b949e } .sharp { fill: #6e7681 } .pyvips { fill: #484f58 }
}
"""


def text(x, y, content, css="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{css}" text-anchor="{anchor}">{escape(content)}</text>'


def bar(x, y, width, css):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{BAR - 2}" rx="2" class="{css}"/>'


def legend():
    x = LEFT
    for peer, name in NAMES.items():
        yield bar(x, TOP - 24, 11, peer)
        yield text(x + 16, TOP - 14, name, "note")
        x += 30 + 7 * len(name)


def draw(results):
    times = {name: {p: geometric_mean(ratios(results[name], p, "cpu_ms").values()) for p in PEERS} for name in LABELS}
    most = max(value for by in times.values() for value in by.values())
    scale = (WIDTH - LEFT - RIGHT) / most
    parts, y = [text(0, 18, "CPU time per 128-pixel thumbnail, ours = 1"), *legend()], TOP
    for name, by in times.items():
        parts.append(text(LEFT - 12, y + 2 * BAR + 4, LABELS[name], anchor="end"))
        for peer, value in {"ours": 1.0, **by}.items():
            parts.append(bar(LEFT, y, value * scale, peer))
            parts.append(text(LEFT + value * scale + 6, y + BAR - 3, f"{value:.1f}", "note"))
            y += BAR
        y += GAP
    title = "<title>CPU time per thumbnail against Pillow, sharp and pyvips</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">'
    return "\n".join([head, title, f"<style>{STYLE}</style>", *parts, "</svg>"]) + "\n"


def main():
    work = pathlib.Path(sys.argv[1])
    (work / "chart.svg").write_text(draw(json.loads((work / "results.json").read_text())))


if __name__ == "__main__":
    main()
