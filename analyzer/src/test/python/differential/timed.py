"""Tables over time: timeline, timeline_exits, ept_fault_map, phases, phase_exits."""

import re

from .cells import Difference
from .counted import handled, percentile
from .phases import phases
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
                halted = time + handling(event)
                self.idle += overlap(halted, halted + idle, start, stop)
        self.times = sorted(handling(event) for event in self.exits if handled([event]) is not None)
        self.tells_guest = tells(trace.exits, lambda event: duration(event, "guest_ns") is not None)
        self.tells_handling = tells(trace.exits, lambda event: handled([event]) is not None)
        self.tells_touches = tells(
            [event for event in trace.exits if event["type"] == "EPT_FAULT"], lambda event: "first_touch" in event)
        self.faults = [event for event in self.exits if event["type"] == "EPT_FAULT"]

    def sums(self):
        return {"count": len(self.exits), "guest_ns": sum(self.guest.values()) if self.tells_guest else None,
                "handling_ns": sum(self.times) if self.tells_handling else None, "idle_ns": self.idle}

    def fault_sums(self):
        return {"ept_faults": len(self.faults), "first_touches": touches(self.faults) if self.tells_touches else None}

    def by_reason(self, reasons, more):
        """A row a reason with exits, or with guest time before later ones."""
        for reason in {event["reason"] for event in self.exits} | set(self.guest):
            own = [event for event in self.exits if event["reason"] == reason]
            yield {"reason": reason, "sdm_reason": reasons.get(reason)} | more | {
                "count": len(own), "guest_ns": self.guest.get(reason, 0) if self.tells_guest else None,
                "handling_ns": sum(map(handling, own)) if self.tells_handling else None}


def tells(events, told):
    """Whether any of them tells something, if there are any."""
    return not events or any(map(told, events))


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
        row["guest_share"] = sums["guest_ns"] / (self.width * self.trace.cpus) if span.tells_guest else None
        for column, percent in [("p50", "50"), ("p90", "90"), ("p99", "99")]:
            row[column] = percentile(span.times, percent, "0.032") if span.times else None
        row["max"] = span.times[-1] if span.times else None
        self.timeline.append(row | span.fault_sums())
        self.exits += span.by_reason(self.reasons, {"time": begin})
        self.add_faults(begin, span)

    def add_faults(self, begin, span):
        size = block_bytes(self.trace)
        for block in range(BLOCKS):
            own = [event for event in span.faults if event.get("gpa", -1) // size == block]
            if own:
                self.faults.append({"time": begin, "gpa": block * size, "bytes": size, "count": len(own),
                                    "first_touches": touches(own) if span.tells_touches else None})


def block_bytes(trace):
    """The smallest power of two, 4 KiB or more, of which 128 reach up to the end of RAM; else beyond all faults."""
    ends = [region["gpa"] + region["bytes"] for region in trace.header.get("regions", []) if region["kind"] == "ram"]
    end = max(ends, default=trace.header.get("memory_bytes", 0))
    if end == 0:
        faults = [event["gpa"] for event in trace.exits if event["type"] == "EPT_FAULT" and event.get("gpa", 1 << 52) < 1 << 52]
        end = max(faults, default=0) + 1
    size = 4096
    while size * BLOCKS < end:
        size *= 2
    return size


def between(trace, begins):
    """What happened from each of these times to the next; in the first also what was before, in the last what came after."""
    borders = [EVER[0], *begins[1:], EVER[1]]
    return [Span(trace, start, stop) for start, stop in zip(borders, borders[1:])]


def check_phases(trace, reasons, symbols, tables, marks, compare, overlaps):
    """Phases follow one another from the run's beginning to its end; each has what happened in it.

    Where guest times overlap, which only a damaged trace has, what passed when is not looked at.
    """
    found, expected = tables["phases"], phases(trace, symbols, marks)
    ends = [event["time"] for event in trace.exits] + [e["time"] for e in trace.events if e["type"] == "END"]
    begins = [begin for _, begin, _ in expected]
    wanted, exits = [], []
    for (name, begin, mark), end, span in zip(
            expected, begins[1:] + [max([*ends, begins[-1]])], between(trace, begins)):
        wanted.append({"phase": name, "time": begin, "since_start": begin - trace.start, "duration": end - begin}
                      | span.sums() | span.fault_sums() | {"mark": mark})
        exits += span.by_reason(reasons, {"phase": name})
    if overlaps:
        for row in [*found, *tables["phase_exits"], *wanted, *exits]:
            row |= {column: None for column in ("guest_ns", "idle_ns") if column in row}
        tables["phase_exits"] = [row for row in tables["phase_exits"] if row["count"]]
        exits = [row for row in exits if row["count"]]
    if [row["phase"] for row in found] != [row["phase"] for row in wanted]:
        raise Difference(f"phases {[row['phase'] for row in found]}, expected {[row['phase'] for row in wanted]}")
    compare("phases", found, wanted, ["phase", "time", "mark"])
    compare("phase_exits", tables["phase_exits"], exits, ["phase", "reason"])
