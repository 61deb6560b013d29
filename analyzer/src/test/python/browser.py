"""A headless Chromium, and what every page has to stand."""

import shutil
import sys

from selenium import webdriver
from selenium.webdriver.chrome.service import Service


CONTRAST = """
const channel = (value) => { value /= 255; return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
const luminance = (colour) => { const [r, g, b] = colour.match(/[0-9.]+/g).map(Number);
  return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
const behind = (element) => { for (; element; element = element.parentElement) {
  const colour = getComputedStyle(element).backgroundColor; if (!/, 0\\)$|transparent/.test(colour)) return colour; } return "rgb(255,255,255)"; };
let worst = [21, ""];
for (const element of document.querySelectorAll("h1, h2, p, td, th, summary, button, .figure span, .keys li, caption, nav a, .status strong")) {
  if (!element.textContent.trim() || !element.offsetParent) continue;
  const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < worst[0]) worst = [ratio, element.outerHTML.slice(0, 80)];
}
return worst;
"""

NAMELESS = """
const named = (element) => element.getAttribute("aria-label") || element.getAttribute("aria-labelledby") || element.textContent.trim()
  || (element.labels && element.labels.length);
return [...document.querySelectorAll("button, input, [role=img], [role=listbox], section")].filter((element) => !named(element)).map((element) => element.outerHTML.slice(0, 80))
  .concat([...document.querySelectorAll("th")].filter((element) => !element.scope).map((element) => element.outerHTML));
"""


def open_browser():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome")
    # No sandbox: in a container there is often none to be had, and the page is our own.
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    size(browser, 1280, 900)
    return browser


def size(browser, width, height):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})


def check_looks(browser):
    """The page is ready, loads nothing, reports no error, names everything, can be read, fits a phone."""
    if browser.execute_script("return document.documentElement.dataset.ready") != "true":
        sys.exit("the page's script did not come to its end")
    nameless = browser.execute_script(NAMELESS)
    if nameless:
        sys.exit(f"elements without a name: {nameless}")
    for theme in ["light", "dark"]:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]})
        ratio, element = browser.execute_script(CONTRAST)
        if ratio < 4.5:
            sys.exit(f"{theme}: contrast {ratio:.2f} of {element}")
    size(browser, 360, 740)
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    if wide > 360:
        sys.exit(f"on a phone the page is {wide} pixels wide")
    size(browser, 1280, 900)
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    if loaded:
        sys.exit(f"the page loads {loaded}")
    errors = [entry["message"] for entry in browser.get_log("browser")]
    if errors:
        sys.exit(f"the browser's console says {errors}")
