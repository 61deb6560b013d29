"""Takes pictures of a report page for the documents.

Usage: screenshots.py PAGE FOLDER

Writes report-light.png, report-dark.png, report-phone.png and report-print.png, with few colours to keep them small.
"""

import base64
import io
import pathlib
import sys

from browser import open_browser, size
from PIL import Image

COLOURS = 160


def save(png, path):
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size:,} bytes")


def media(browser, name, theme):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "media": name, "features": [{"name": "prefers-color-scheme", "value": theme}]})


def shot(browser, folder, name, theme, width, height, anchor=None):
    media(browser, "", theme)
    size(browser, width, height)
    browser.execute_script("""
      const place = arguments[0] && document.getElementById(arguments[0]);
      scrollTo(0, place ? place.offsetTop - 12 : 0);
    """, anchor)
    browser.execute_async_script("setTimeout(arguments[0], 400)")  # charts follow the width
    save(base64.b64decode(browser.get_screenshot_as_base64()), folder / f"report-{name}.png")


def main():
    page, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    browser = open_browser()
    try:
        browser.get(page.resolve().as_uri())
        shot(browser, folder, "light", "light", 1240, 1100)
        shot(browser, folder, "dark", "dark", 1240, 1040, "latency")
        shot(browser, folder, "phone", "light", 390, 844)
        media(browser, "print", "dark")
        size(browser, 794, 1123)  # A4
        browser.execute_script("dispatchEvent(new Event('beforeprint')); scrollTo(0, 0)")
        browser.execute_async_script("setTimeout(arguments[0], 400)")
        save(base64.b64decode(browser.get_screenshot_as_base64()), folder / "report-print.png")
    finally:
        browser.quit()


main()
