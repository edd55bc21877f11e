"""usage: placeholder.py PROGRAM    A page shows each picture's placeholder, then the picture, in the local chain's store."""

import mimetypes
import pathlib
import re
import sys
import tempfile
import urllib.request

from browser import COLOURS, gallery
from chain import ROOT, assert_shown, free_ports
from processes import Stack

NUMBERS = range(6)
PAGE = ROOT / "tests/local/placeholder"
# How far each picture in a screenshot is from each that was dropped: the mean over channels in the middle of all quarters.
DISTANCES = """
const [screenshot, numbers, done] = arguments;
(async () => {
  const shot = await createImageBitmap(await (await fetch(`data:image/png;base64,${screenshot}`)).blob());
  const context = new OffscreenCanvas(shot.width, shot.height).getContext("2d", { willReadFrequently: true });
  context.drawImage(shot, 0, 0);
  const scale = shot.width / innerWidth;
  return numbers.map((number) => {
    const { x, y, width, height } = [...document.images].find((image) => image.dataset.name === name(number)).getBoundingClientRect();
    const seen = [0, 1, 2, 3].map((quarter) => {
      const at = [x + width * (quarter % 2 ? 0.75 : 0.25), y + height * (quarter >> 1 ? 0.75 : 0.25)];
      return context.getImageData(...at.map((place) => Math.floor(place * scale)), 1, 1).data;
    });
    return numbers.map((other) => {
      const apart = colours(other).flatMap((colour, quarter) => colour.map((value, channel) => Math.abs(value - seen[quarter][channel])));
      return apart.reduce((sum, distance) => sum + distance) / apart.length;
    });
  });
})().then(done);
"""
READY = "return document.body.dataset.ready === 'true' && document.images.length === arguments[0];"
LOADED = "return [...document.images].filter((image) => image.naturalWidth && !image.style.backgroundImage).length;"


def upload(storage, file):
    """Puts a file of the page beside the gallery, so that both share a script and the storage server's origin."""
    url = f"{storage}/upload/storage/v1/b/gallery/o?uploadType=media&name=placeholder/{file.name}"
    headers = {"content-type": mimetypes.guess_type(file.name)[0]}
    urllib.request.urlopen(urllib.request.Request(url, file.read_bytes(), headers), timeout=30).close()


def assert_seen(page, what, most):
    """Each place on the screen has its own picture's colours, as far as `what` can show them."""
    screenshot = page.driver.get_screenshot_as_base64()
    distances = page.driver.execute_async_script(COLOURS + DISTANCES, screenshot, list(NUMBERS))
    for number, row in enumerate(distances):
        assert row[number] <= most, f"{what} {number} is off by {row[number]}"
        assert row[number] == min(row), f"{what} {number} is nearer to another picture: {row}"
    print(f"{len(distances)} of {what} seen, off by {max(row[number] for number, row in enumerate(distances)):.1f} at most")


def main():
    with tempfile.TemporaryDirectory() as folder, open(pathlib.Path(folder, "log"), "a") as log:
        ports = free_ports()
        with Stack(sys.argv[1], pathlib.Path(folder, "storage"), ports, log=log):
            for file in PAGE.iterdir():
                upload(f"http://localhost:{ports['storage']}", file)
            url = re.search(r"gallery: +(\S+)index.html", pathlib.Path(folder, "log").read_text())[1]
            with gallery(f"{url}index.html") as page:
                page.drop(NUMBERS)
                assert_shown(page, NUMBERS)
                page.driver.get(f"{url}placeholder/index.html")
                page.wait("the placeholders", lambda: page.driver.execute_script(READY, len(NUMBERS)))
                assert page.driver.execute_script(LOADED) == 0
                assert_seen(page, "placeholders", 30)
                page.driver.find_element("id", "show").click()
                page.wait("the pictures", lambda: page.driver.execute_script(LOADED) == len(NUMBERS))
                assert_seen(page, "pictures", 4)
                console = page.console()
                assert console == [], console


if __name__ == "__main__":
    main()
