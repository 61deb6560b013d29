"""Where the phases of a run begin, as TABLES.md, "Phases", says it."""

import re

from .console import console
from .counted import Keys, passes
from .trace import words

KERNEL_HALF = 0xffff_8000_0000_0000
MOST_MARKS = 64
LINUX = [
    ("decompression", "text 'Decompressing Linux'", "Decompressing Linux"),
    ("early kernel", "first exit at a kernel address", None),
    ("drivers", "text of the first driver",
     "devtmpfs: initialized|NET: Registered|clocksource: Switched|Serial: 8250"),
    ("init", "text 'Run ... as init process'", r"Run \S+ as init process"),
    ("shell", "text of a prompt", r"^(\S*[#$%>] |.*\blogin: ?)"),
    ("end", "text of the last moments", "reboot: |System halted|Power down|Restarting system|Requesting system "),
]


def spoken(trace):
    """Lines of console 0: (time of the end, text)."""
    return [(end, line) for _, end, channel, flow, line in console(trace) if channel == 0 and flow == "OUT"]


def first_text(lines, regex, since):
    return min((end for end, line in lines if end >= since and re.search(regex, line)), default=None)


def first_exit(trace, holds):
    return min((event["time"] for event in trace.exits if holds(event)), default=None)


def linux(trace):
    """The phases of a boot: (time, name, mark); each no earlier than the one before it."""
    begins, last, lines = [], trace.start, spoken(trace)
    protocol = trace.note("protocol")
    unpacks = re.fullmatch("bzImage, (32|64)-bit entry", protocol)
    if unpacks:
        begins.append((last, "decompression", f"started as {protocol}"))
    for name, what, regex in LINUX[1 if unpacks else 0:]:
        if regex is None:
            time = first_exit(trace, lambda event: event.get("rip", 0) >= KERNEL_HALF)
        else:
            time = first_text(lines, regex, last)
        if name == "init" and time is None and begins:
            what, time = "first exit in user mode", first_exit(trace, lambda event: event.get("cpl") == 3)
        if time is not None and time >= last:
            begins.append((time, name, what))
            last = time
    return begins


def mark_time(trace, symbols, kind, value):
    """When it came first; None where it did not."""
    if kind == "text":
        return first_text(spoken(trace), value, -1)
    keys = Keys(trace, symbols)
    conditions = {
        "port": lambda: [("event", "=", "PIO"), ("port", "=", value)],
        "hypercall": lambda: [("event", "=", "HYPERCALL"), ("hypercall", "=", value)],
        "symbol": lambda: [("function", "=", value)],
        "where": lambda: value,
    }[kind]()
    return first_exit(trace, lambda event: passes(keys, event, conditions))


def named(trace):
    """The first MARK event of each name, of the first names."""
    times = {}
    for event in sorted((event for event in trace.events if event["type"] == "MARK"), key=lambda mark: mark["time"]):
        name = words(event.get("data", b""))
        if name not in times and len(times) < MOST_MARKS:
            times[name] = event["time"]
    return [(time, name, "mark of the trace") for name, time in times.items()]


def phases(trace, symbols, marks):
    """(name, begin, mark) of each, in their order; marks are (name, kind, value, words)."""
    boot = linux(trace)
    own = {name for name, _, _, _ in marks}
    begins = [begin for begin in boot if begin[1] not in own]
    if not begins or begins[0][0] > trace.start:
        begins.insert(0, (trace.start, "loader" if boot else "run", "the run begins"))
    begins += named(trace)
    for name, kind, value, what in marks:
        time = mark_time(trace, symbols, kind, value)
        if time is not None:
            begins.append((time, name, what))
    begins.sort(key=lambda begin: begin[0])
    return [(name, trace.start if i == 0 else max(trace.start, time), what)
            for i, (time, name, what) in enumerate(begins)]
