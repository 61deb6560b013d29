"""Opens a comparison's page in a headless browser and compares what it shows with the Arrow files.

Usage: check_compare.py PAGE TABLES
"""

import pathlib
import sys

import pyarrow
from arrow_file import read
from browser import check_looks, open_browser


def main():
    page, directory = map(pathlib.Path, sys.argv[1:])
    browser = open_browser()
    try:
        browser.get(page.resolve().as_uri())
        rows = 0
        for path in sorted(directory.glob("compare_*.arrow")):
            table = read(path)
            keys = table.column_names[:table.column_names.index("count_a")]
            files = {tuple(row[key] for key in keys): row for row in table.to_pylist()}
            numbers = [key for key in keys if pyarrow.types.is_integer(table.schema.field(key).type)]
            for measure in ["count", "handling", "guest"]:
                shown = browser.execute_script("""
                  const table = document.querySelector(`[data-table="${arguments[0]}"]`);
                  return table && [...table.querySelectorAll("tbody tr")].map((row) => Object.fromEntries(
                    [...row.cells].filter((cell) => cell.dataset.column).map((cell) => [cell.dataset.column, cell.dataset.value])));
                """, f"{path.stem}-{measure}")
                for row in shown or []:
                    rows += 1
                    file = files[tuple(int(row[key], 0) if row[key] is not None and key in numbers else row[key]
                                       for key in keys)]
                    for part in ["a", "b", "change"]:
                        if float(row[f"{measure}_{part}"]) != file[f"{measure}_{part}"]:
                            sys.exit(f"{path.stem}, {row}: the files have {file}")
                    if row[f"{measure}_verdict"] != file[f"{measure}_verdict"]:
                        sys.exit(f"{path.stem}, {row}: the files have {file}")
        check_looks(browser)
    finally:
        browser.quit()
    print(f"{page.name}: {rows} rows as the files say, no error")


main()
