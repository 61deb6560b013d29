"""Tables over time: timeline, timeline_exits, ept_fault_map, phases, phase_exits, console."""

import re

from .cells import Difference
from .counted import Keys, passes, percentile
from .trace import duration, handling

FINEST = 100_000
MOST_BUCKETS = 200
MOST_ASKED = 10_000
BLOCKS = 128
EVER = -(1 << 64), 1 << 64


def overlap(begin, end, start, stop):
    return max(0, min(end, stop) - max(begin, start))


class Span:
    """What happened from one time to before another."""

    def __init__(self, trace, start, stop):
        self.exits = [event for event in trace.exits if start <= event["time"] < stop]
        self.guest = {}
        self.idle = 0
        for event in trace.exits:
            time = event["time"]
            guest = duration(event, "guest_ns") or 0
            passed = overlap(time - guest, time, start, stop)
            if passed:
                self.guest[event["reason"]] = self.guest.get(event["reason"], 0) + passed
            idle = duration(event, "idle_ns")
            if event["type"] == "HLT" and idle:
                handled = time + handling(event)
                self.idle += overlap(handled, handled + idle, start, stop)
        self.times = sorted(handling(event) for event in self.exits)
        self.faults = [event for event in self.exits if event["type"] == "EPT_FAULT"]

    def sums(self):
        return {"count": len(self.exits), "guest_ns": sum(self.guest.values()), "handling_ns": sum(self.times),
                "idle_ns": self.idle}

    def fault_sums(self):
        return {"ept_faults": len(self.faults), "first_touches": touches(self.faults)}

    def by_reason(self, reasons, more):
        """A row a reason with exits, or with guest time before later ones."""
        for reason in {event["reason"] for event in self.exits} | set(self.guest):
            own = [event for event in self.exits if event["reason"] == reason]
            yield {"reason": reason, "sdm_reason": reasons.get(reason)} | more | {
                "count": len(own), "guest_ns": self.guest.get(reason, 0),
                "handling_ns": sum(map(handling, own))}


def touches(faults):
    return sum(event.get("first_touch", False) for event in faults)


def last_moment(trace):
    """The last time that anything is counted at, and whether it may be the end of what lasts."""
    moments = [trace.start]
    for event in trace.exits:
        moments.append(event["time"])
        idle = duration(event, "idle_ns")
        if event["type"] == "HLT" and idle is not None:
            moments.append(event["time"] + handling(event) + idle)
    return max(moments)


class Timeline:
    """The three tables; how wide a bucket is is up to the analysis, within what is documented."""

    def __init__(self, trace, reasons, found, asked):
        self.trace = trace
        self.reasons = reasons
        self.timeline, self.exits, self.faults = [], [], []
        if not trace.exits:
            return
        self.width = self.check_width(found, asked)
        last = last_moment(trace)
        for i in range((last - trace.start) // self.width + 1):
            self.add_bucket(trace.start + i * self.width, first=i == 0)

    def check_width(self, found, asked):
        if not found:
            raise Difference("timeline is empty")
        width = found[0]["bucket_ns"]
        span = last_moment(self.trace) - self.trace.start
        if asked is None:
            factor = width // FINEST
            if width % FINEST or not re.fullmatch("[125]0*", str(factor)):
                raise Difference(f"timeline: buckets of {width} ns are not 1, 2 or 5 times a power of ten of 0.1 ms")
            if len(found) > MOST_BUCKETS:
                raise Difference(f"timeline: {len(found)} buckets, at most {MOST_BUCKETS} are documented")
        elif width != asked and (span // asked < MOST_ASKED or span // (width // 10) < MOST_ASKED):
            raise Difference(f"timeline: buckets of {width} ns, asked were {asked}")
        return width

    def add_bucket(self, begin, first):
        # What was before the run's beginning is in the first bucket.
        span = Span(self.trace, EVER[0] if first else begin, begin + self.width)
        sums = span.sums()
        row = {"time": begin, "since_start": begin - self.trace.start, "bucket_ns": self.width} | sums
        row["guest_share"] = sums["guest_ns"] / (self.width * self.trace.cpus)
        for column, percent in [("p50", "50"), ("p90", "90"), ("p99", "99")]:
            row[column] = percentile(span.times, percent, "0.032") if span.times else None
        row["max"] = span.times[-1] if span.times else None
        self.timeline.append(row | span.fault_sums())
        self.exits += span.by_reason(self.reasons, {"time": begin})
        self.add_faults(begin, span.faults)

    def add_faults(self, begin, faults):
        size = block_bytes(self.trace)
        for block in range(BLOCKS):
            own = [event for event in faults if event.get("gpa", -1) // size == block]
            if own:
                self.faults.append({"time": begin, "gpa": block * size, "bytes": size, "count": len(own),
                                    "first_touches": touches(own)})


def block_bytes(trace):
    """The smallest power of two, 4 KiB or more, of which 128 reach up to the end of RAM."""
    ends = [region["gpa"] + region["bytes"] for region in trace.header.get("regions", []) if region["kind"] == "ram"]
    end = max(ends, default=trace.header.get("memory_bytes", 0))
    size = 4096
    while size * BLOCKS < end:
        size *= 2
    return size


def console(trace):
    """Lines by console and direction; (begin, end, channel, flow, text)."""
    lines = []
    pieces = {}
    for event in trace.events:
        if event["type"] in ("CONSOLE_OUTPUT", "CONSOLE_INPUT"):
            flow = "OUT" if event["type"] == "CONSOLE_OUTPUT" else "IN"
            pieces.setdefault((event.get("channel", 0), flow), []).append((event["time"], event.get("data", b"")))
    for (channel, flow), written in pieces.items():
        begin = end = None
        line = b""
        for time, data in written:
            for byte in data:
                begin = time if not line else begin
                end = time
                if byte == 10:
                    lines.append((begin, end, channel, flow, text(line)))
                    line = b""
                else:
                    line += bytes([byte])
        if line:
            lines.append((begin, end, channel, flow, text(line)))
    return lines


def text(line):
    found = line.decode("utf-8", "replace").replace("\r", "")
    return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9])", "", found)


def console_rows(trace):
    return [{"time": begin, "since_start": begin - trace.start, "channel": channel, "flow": flow, "text": line}
            for begin, _, channel, flow, line in console(trace)]


def mark_time(trace, symbols, kind, value):
    """When it came first; None where it did not."""
    if kind == "text":
        times = [end for _, end, channel, flow, line in console(trace)
                 if channel == 0 and flow == "OUT" and re.search(value, line)]
    else:
        keys = Keys(trace, symbols)
        conditions = {
            "port": lambda: [("event", "=", "PIO"), ("port", "=", value)],
            "hypercall": lambda: [("event", "=", "HYPERCALL"), ("hypercall", "=", value)],
            "symbol": lambda: [("function", "=", value)],
            "where": lambda: value,
        }[kind]()
        times = [event["time"] for event in trace.exits if passes(keys, event, conditions)]
    return min(times, default=None)


def check_phases(trace, reasons, symbols, tables, marks, compare, overlaps):
    """Phases follow one another from the run's beginning to its end; each has what happened in it.

    Where guest times overlap, which only a damaged trace has, what passed when is not looked at.
    """
    found = tables["phases"]
    if not found or found[0]["time"] != trace.start:
        raise Difference(f"phases: the first one does not begin at {trace.start}: {found[:1]}")
    ends = [event["time"] for event in trace.exits] + [e["time"] for e in trace.events if e["type"] == "END"]
    wanted, exits = [], {}
    for i, phase in enumerate(found):
        end = found[i + 1]["time"] if i + 1 < len(found) else max(ends + [phase["time"]])
        # What came before the run belongs to the first phase; what comes after it, such as idle time, to the last.
        span = Span(trace, EVER[0] if i == 0 else phase["time"], EVER[1] if i + 1 == len(found) else end)
        wanted.append({"phase": phase["phase"], "time": phase["time"], "since_start": phase["time"] - trace.start,
                       "duration": end - phase["time"]} | span.sums() | span.fault_sums() | {"mark": phase["mark"]})
        exits.setdefault(phase["phase"], []).extend(span.by_reason(reasons, {"phase": phase["phase"]}))
    if overlaps:
        for row in [*found, *tables["phase_exits"], *wanted, *(row for rows in exits.values() for row in rows)]:
            row |= {column: None for column in ("guest_ns", "idle_ns") if column in row}
        tables["phase_exits"] = [row for row in tables["phase_exits"] if row["count"]]
        exits = {phase: [row for row in rows if row["count"]] for phase, rows in exits.items()}
    compare("phases", found, wanted, ["phase", "time", "mark"])
    compare("phase_exits", tables["phase_exits"], [row for rows in exits.values() for row in rows],
            ["phase", "reason"])
    for name, kind, value, what in marks:
        time = mark_time(trace, symbols, kind, value)
        own = [phase["time"] for phase in found if phase["phase"] == name and phase["mark"] == what]
        if own != ([] if time is None else [max(time, trace.start)]):
            raise Difference(f"phases: {name} ({kind}) begins at {own}, expected {time}")
