"""The gallery in headless Chromium."""

import contextlib
import shutil
import tempfile

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 120  # seconds

COLOURS = """
const name = (number) => `été & #${number}.jpg`;
const colours = (number) =>
  [0, 1, 2, 3].map((quarter) => [0, 1, 2].map((channel) => (number * 37 + quarter * 70 + channel * 50) % 206 + 25));
const article = (number) => [...document.querySelectorAll("article")].find((article) => article.dataset.name === name(number));
"""
# Four quarters of one colour each, so that a picture turned, cut or mixed up would show.
DROP = """
const [numbers, done] = arguments;
(async () => {
  const transfer = new DataTransfer();
  for (const number of numbers) {
    const canvas = new OffscreenCanvas(400, 300);
    const context = canvas.getContext("2d");
    colours(number).forEach((colour, quarter) => {
      context.fillStyle = `rgb(${colour})`;
      context.fillRect((quarter % 2) * 200, (quarter >> 1) * 150, 200, 150);
    });
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 });
    transfer.items.add(new File([blob], name(number), { type: "image/jpeg" }));
  }
  const event = new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
  document.querySelector("#drop").dispatchEvent(event);
})().then(done);
"""
# How far the rendition that the page shows is from what was dropped, in the middle of its quarters; null without one.
DISTANCE = """
const [number] = arguments;
const image = article(number)?.querySelector("figure img");
if (!image?.complete || !image.naturalWidth) return null;
const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
const context = canvas.getContext("2d", { willReadFrequently: true });
context.drawImage(image, 0, 0);
return Math.max(...colours(number).flatMap((colour, quarter) => {
  const x = Math.floor(canvas.width * (quarter % 2 ? 0.75 : 0.25)), y = Math.floor(canvas.height * (quarter >> 1 ? 0.75 : 0.25));
  const pixel = context.getImageData(x, y, 1, 1).data;
  return colour.map((value, channel) => Math.abs(value - pixel[channel]));
}));
"""


@contextlib.contextmanager
def gallery(url):
    """The page, opened."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory() as profile:
        for flag in (
            "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
            "disable-component-update", "disable-sync", "disable-dev-shm-usage", "hide-scrollbars", f"user-data-dir={profile}",
        ):
            options.add_argument(f"--{flag}")
        driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
        try:
            driver.set_script_timeout(PATIENCE)
            driver.get(url)
            yield Gallery(driver)
        finally:
            driver.quit()


class Gallery:
    def __init__(self, driver):
        self.driver = driver

    def drop(self, numbers):
        """Drops pictures of these numbers at once."""
        self.driver.execute_async_script(COLOURS + DROP, list(numbers))

    def choose(self, file):
        """Chooses a file of this machine."""
        self.driver.find_element("id", "choose").send_keys(str(file))

    def distance(self, number):
        return self.driver.execute_script(COLOURS + DISTANCE, number)

    def text(self, number, selector):
        """What the page says of a picture, in its element that the selector names."""
        script = "return article(arguments[0]).querySelector(arguments[1]).textContent;"
        return self.driver.execute_script(COLOURS + script, number, selector)

    def wait(self, what, met):
        try:
            return WebDriverWait(self.driver, PATIENCE, 0.2).until(lambda _: met())
        except TimeoutException:
            page = self.driver.find_element("tag name", "body").text
            raise AssertionError(f"{what} didn't come; the page says {page!r}, its console {self.console()}") from None

    def console(self):
        """What the console has shown since it was last asked."""
        return self.driver.get_log("browser")
