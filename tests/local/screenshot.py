"""usage: screenshot.py PROGRAM FILE.png    Draws the README's picture of the gallery, with the Python that check installs."""

import os
import pathlib
import re
import sys
import tempfile

from chain import ROOT, free_ports
from browser import gallery
from processes import Stack

RENDITIONS = (
    "thumbnails/{name}?size=128x128 square/{dir}{stem}{.webp}?size=160x160&fit=cover&format=webp "
    "web/{dir}{stem}{.jpg}?size=320x320&format=jpeg"
)
DONE = """return document.querySelectorAll("figcaption:not(:empty)").length === 3
    && document.querySelector(".original p").textContent.includes("uploaded");"""


def main():
    with tempfile.TemporaryDirectory() as folder, open(pathlib.Path(folder, "log"), "a") as log:
        environment = os.environ | {"RENDITIONS": RENDITIONS}
        with Stack(sys.argv[1], pathlib.Path(folder, "storage"), free_ports(), environment, log):
            said = pathlib.Path(folder, "log").read_text()
            with gallery(re.search(r"gallery: +(\S+)", said)[1]) as page:
                page.driver.set_window_size(1100, 720)
                page.choose(ROOT / "tests/photos/launch.jpg")
                page.wait("three renditions", lambda: page.driver.execute_script(DONE))
                page.driver.save_screenshot(sys.argv[2])


main()
