"""Opens a page in a headless browser whose data tries to break it.

Usage: check_hostile.py PAGE TABLES

The data calls alert where any of it is executed. Fails where it is, where the browser reports an error or the page
loads anything, or where a table's cells or the console's lines are not shown as the Arrow files have them.
"""

import pathlib
import sys

from selenium.common.exceptions import NoAlertPresentException

from arrow_file import read
from browser import check_looks, open_browser


def shown(browser, name):
    """Texts of a table's cells, row by row; all rows are shown first."""
    return browser.execute_script("""
      const table = document.querySelector(`[data-table="${arguments[0]}"]`);
      const more = [...table.querySelectorAll("button")].find((button) => button.textContent.startsWith("all "));
      if (more && !more.hidden) more.click();
      return [...table.querySelectorAll("tbody tr")].map((row) =>
        Object.fromEntries([...row.cells].map((cell) => [cell.dataset.column, [cell.dataset.value, cell.textContent]])));
    """, name)


def check_texts(browser, directory):
    """Words are shown as they are, whatever they hold, and are never markup."""
    names = browser.execute_script("return [...document.querySelectorAll('[data-table]')].map((t) => t.dataset.table)")
    cells = 0
    for name in names:
        path = directory / f"{name}.arrow"
        if not path.exists() or name in ("exit_histogram", "exit_latency"):
            continue
        wanted = read(path).to_pylist()
        for row, file in zip(shown(browser, name), wanted):
            for column, (value, text) in row.items():
                if isinstance(file.get(column), str):
                    cells += 1
                    if value != file[column] or text != file[column]:
                        sys.exit(f"{name}, {column}: shown {text!r}, the file has {file[column]!r}")
    return cells


def check_console(browser, directory):
    items = browser.execute_script(
        "return [...document.querySelectorAll('.console li:not(.mark) span')].map((span) => span.textContent)")
    said = [row["text"][:200] for row in read(directory / "console.arrow").to_pylist()
            if row["flow"] == "OUT" and row["channel"] == 0 and row["text"]]
    if items != said:
        wrong = next((pair for pair in zip(items, said) if pair[0] != pair[1]), (len(items), len(said)))
        sys.exit(f"console: shown {wrong[0]!r}, the file has {wrong[1]!r}")
    return len(items)


def main():
    page, directory = map(pathlib.Path, sys.argv[1:])
    browser = open_browser()
    try:
        browser.get(page.resolve().as_uri())
        try:
            sys.exit(f"the page says {browser.switch_to.alert.text!r}")
        except NoAlertPresentException:
            pass
        foreign = browser.execute_script("return document.querySelectorAll('iframe, img, object, embed, body script[src]').length")
        if foreign:
            sys.exit(f"{foreign} elements came out of the data")
        cells, lines = check_texts(browser, directory), check_console(browser, directory)
        check_looks(browser)
    finally:
        browser.quit()
    print(f"{page.name}: {cells} texts and {lines} lines of console as the files have them, nothing executed, no error")


main()
