"""Opens a report page in a headless browser and compares what it shows with the Arrow files.

Usage: check_page.py PAGE TABLES [whole]

With `whole`, of a machine with one vCPU, no table of the page adds anything up: all are compared cell by cell. PAGE is what `analyze --html` wrote, TABLES the directory of Arrow files of the same run. Fails where the browser
reports an error, the page loads anything, a figure differs from the files, a control does nothing, something has no
name for those who cannot see it, text is too pale, or a phone would have to scroll sideways.
"""

import collections
import datetime
import pathlib
import sys

import pyarrow.compute
from arrow_file import read
from browser import check_looks, open_browser

# With several vCPUs the page adds these up.
ADDED_UP = ["exit_histogram", "exit_latency", "hotspots"]
PLACE = ["device", "register", "target", "direction", "size", "location"]


def same(found, wanted, what):
    if found != wanted:
        sys.exit(f"{what}: the page has {found!r}, the files {wanted!r}")


def rows(browser, name):
    """A table of the page as dictionaries of raw values; all rows are shown first."""
    return browser.execute_script("""
      const table = document.querySelector(`[data-table="${arguments[0]}"]`);
      if (!table) return null;
      const more = [...table.querySelectorAll("button")].find((button) => button.textContent.startsWith("all "));
      if (more && !more.hidden) more.click();
      return [...table.querySelectorAll("tbody tr")].map((row) => Object.fromEntries([...row.cells].map((cell) => [cell.dataset.column, cell.dataset.value])));
    """, name)


def nanoseconds(text):
    whole = datetime.datetime.fromisoformat(text[:19] + "+00:00")
    return int(whole.timestamp()) * 10**9 + int(text[20:29])


def value(text, wanted):
    """A raw value of the page as the type of the file's cell."""
    if text is None or wanted is None:
        return text
    if isinstance(wanted, bool):
        return text == "true"
    if isinstance(wanted, int):
        return nanoseconds(text) if text.endswith("Z") else int(text, 0)
    return float(text) if isinstance(wanted, float) else text


def check_table(browser, directory, name):
    """Row by row, cell by cell."""
    found = rows(browser, name)
    wanted = read(directory / f"{name}.arrow").to_pylist()
    same(len(found or []), min(len(wanted), 500), f"rows of {name}")
    for i, row in enumerate(found or []):
        for column, text in row.items():
            same(value(text, wanted[i][column]), wanted[i][column], f"{name}, row {i}, {column}")


def check_sums(browser, directory, name, keys, columns):
    """A table whose vCPUs the page adds up."""
    grouped = read(directory / f"{name}.arrow").group_by(keys).aggregate([(column, how) for column, how in columns])
    place = lambda row: tuple(None if row.get(key) is None else str(row[key]) for key in keys)
    wanted = {place(row): row for row in grouped.to_pylist()}
    found = rows(browser, name)
    same(len(found), len(wanted), f"rows of {name}")
    for row in found:
        for column, how in columns:
            file = wanted[place(row)][f"{column}_{how}"]
            if column in row or file is not None:
                same(value(row.get(column), file), file, f"{name} {place(row)}, {column}")


def check_figures(browser, directory):
    histogram = read(directory / "exit_histogram.arrow")
    about = {key.decode(): text.decode() for key, text in histogram.schema.metadata.items()}
    figures = {element.get_attribute("data-figure"): element.get_attribute("data-value")
               for element in browser.find_elements("css selector", "[data-figure]")}
    same(int(figures["exits"]), int(about["trapscope.exits"]), "exits")
    same(int(figures["exits"]), pyarrow.compute.sum(histogram["count"]).as_py(), "exits by reason")
    faults = pyarrow.compute.sum(read(directory / "ept_faults.arrow")["count"]).as_py()
    same(int(figures.get("faults", 0)), faults or 0, "EPT faults")
    same(int(figures["handling_ns"]), pyarrow.compute.sum(histogram["handling_ns"]).as_py(), "time of handling")
    timeline = rows(browser, "timeline")
    same(sum(int(row["count"]) for row in timeline), int(about["trapscope.exits"]), "exits over time")
    same(sum(int(row["count"]) for row in rows(browser, "phases")), int(about["trapscope.exits"]), "exits by phase")
    check_charts(browser, directory, histogram)
    data = browser.execute_script("return JSON.parse(document.getElementById('data').textContent)")
    same(int(figures["duration_ns"]), data["duration_ns"], "duration")
    begin = pyarrow.compute.min(read(directory / "phases.arrow")["time"]).as_py()
    last = pyarrow.compute.max(read(directory / "hotspots.arrow")["last_time"]).as_py()
    if last - begin > data["duration_ns"]:
        sys.exit(f"the page has {data['duration_ns']} ns, but the last exit came {last - begin} ns after the first phase")
    same(int(figures["interrupts"]), sum(data["timeline"]["interrupts"] or []), "interrupts")
    same(set(figures) - {"exits", "faults", "handling_ns", "duration_ns", "interrupts", "rate"}, set(), "figures without a check")
    rate = browser.find_element("css selector", "[data-figure=rate]").text
    same(int(rate.replace(",", "").replace("\u202f", "")), round(data["exits"] / data["duration_ns"] * 1e9), "exits a second")
    if about["trapscope.coverage"].split("\n")[0] not in browser.find_element("class name", "status").text:
        sys.exit("coverage is not up front")


def check_charts(browser, directory, histogram):
    """What the charts draw adds up to what the files say."""
    data = browser.execute_script("return JSON.parse(document.getElementById('data').textContent)")
    wanted = {row["reason"]: row["count_sum"]
              for row in histogram.group_by("reason").aggregate([("count", "sum")]).to_pylist()}
    same({name: sum(column) for name, column in data["timeline"]["exits"].items()}, wanted, "chart of exits")
    latency = read(directory / "exit_latency.arrow").group_by("stage").aggregate([("count", "sum")]).to_pylist()
    same({name: sum(stage["cells"][2::3]) for name, stage in data["latency"].items() if stage["cells"]},
         {row["stage"]: row["count_sum"] for row in latency if row["count_sum"]}, "heat map of latency")
    check_faults(browser, directory, data["faults"])
    said = [(row["since_start"], row["text"][:200]) for row in read(directory / "console.arrow").to_pylist()
            if row["flow"] == "OUT" and row["channel"] == 0 and row["text"]]
    same([(since, text) for since, text, mark in data["console"] if not mark], said, "console")
    items = browser.execute_script("return [...document.querySelectorAll('.console li:not(.mark) span')].map((span) => span.textContent)")
    same(items, [text for since, text in said], "console as it is shown")


def check_faults(browser, directory, drawn):
    """The map row by row; what lies above RAM is in the row behind the last, and named as such."""
    wanted = {part: collections.Counter() for part in ("first", "again", "unknown")}
    nowhere = 0
    for fault in read(directory / "memory_translation.arrow").select(["gpa", "first_touch"]).to_pylist():
        if fault["gpa"] is None:
            nowhere += 1
            continue
        row = drawn["rows"] if fault["gpa"] >= drawn["above"] else fault["gpa"] // drawn["row_bytes"]
        wanted[{True: "first", False: "again", None: "unknown"}[fault["first_touch"]]][row] += 1
    for part, rows_ in wanted.items():
        found = collections.Counter()
        for row, count in zip(drawn[part][1::3], drawn[part][2::3]):
            found[row] += count
        same(found, rows_, f"map of EPT faults, {part}")
    same(drawn["nowhere"], nowhere, "faults without an address")
    above = sum(rows_[drawn["rows"]] for rows_ in wanted.values())
    section = browser.find_element("id", "faults").text
    for count, words in [(above, f"{above} faults at 0x{drawn['above']:x} and above"), (nowhere, f"{nowhere} faults are not on the map")]:
        same(words in section, count > 0, f"{words!r} in the section on faults")


def check_tables(browser, directory, added_up):
    """Every table of the page that adds nothing up, cell by cell."""
    names = browser.execute_script("return [...document.querySelectorAll('[data-table]')].map((table) => table.dataset.table)")
    files = {path.stem: path for path in directory.glob("*.arrow")}
    same(set(names) - set(files) - {"e820", "regions"}, set(), "tables that no file has")
    for name in names:
        if name in files and name not in added_up:
            check_table(browser, directory, name)
    print(f"compared cell by cell: {', '.join(sorted(set(names) & set(files) - set(added_up)))}")


def check_controls(browser):
    hotspots = browser.find_element("css selector", '[data-table="hotspots"]')
    before = rows(browser, "hotspots")
    header = next(button for button in hotspots.find_elements("css selector", "th button") if button.text == "count")
    header.click()
    header.click()
    counts = [int(row["count"]) for row in rows(browser, "hotspots")]
    same(counts, sorted(counts), "hotspots sorted by count, upwards")
    same(header.find_element("xpath", "..").get_attribute("aria-sort"), "ascending", "aria-sort")
    wanted = next(row["target"] for row in before if row["target"])
    hotspots.find_element("css selector", "input").send_keys(wanted)
    same({row["target"] for row in rows(browser, "hotspots")}, {wanted}, "hotspots filtered")
    view = browser.execute_script("return window.trapscope.view()")
    browser.execute_script("document.getElementById('chart-exits').focus()")
    browser.switch_to.active_element.send_keys("+")
    zoomed = browser.execute_script("return window.trapscope.view()")
    if not zoomed[1] - zoomed[0] < view[1] - view[0]:
        sys.exit(f"plus does not zoom: {view}, {zoomed}")
    spans = browser.execute_script("return window.trapscope.charts.map((chart) => [chart.scales.x.min, chart.scales.x.max])")
    same(spans, [zoomed] * len(spans), "time axes of all charts after zooming")
    browser.switch_to.active_element.send_keys("0")
    same(browser.execute_script("return window.trapscope.view()"), view, "view after 0")
    for stage in browser.find_elements("css selector", "input[name=stage]"):
        stage.click()


def check_console(browser):
    lines = browser.find_elements("css selector", ".console li")
    if lines:
        browser.find_element("css selector", ".console ol").send_keys("\ue015")  # arrow down
        same(len(browser.find_elements("css selector", ".console [aria-selected=true]")), 1, "selected lines")
    return len(lines)


def main():
    page, directory = map(pathlib.Path, sys.argv[1:3])
    browser = open_browser()
    try:
        browser.get(page.resolve().as_uri())
        check_figures(browser, directory)
        check_tables(browser, directory, [] if sys.argv[3:] == ["whole"] else ADDED_UP)
        check_sums(browser, directory, "exit_histogram", ["reason"], [("count", "sum"), ("guest_ns", "sum"), ("handling_ns", "sum")])
        check_sums(browser, directory, "exit_latency", ["reason", "stage"], [("count", "sum"), ("total", "sum"), ("min", "min"), ("max", "max")])
        check_sums(browser, directory, "hotspots", PLACE, [("count", "sum"), ("guest_ns", "sum"), ("device_ns", "sum"), ("last_time", "max")])
        check_controls(browser)
        lines = check_console(browser)
        check_looks(browser)
    finally:
        browser.quit()
    print(f"{page.name}: as the files say, {lines} lines of console, no error")


main()
