"""Tables of exits added up: exit_histogram, exit_latency, hotspots, ept_faults, coverage."""

import collections
import fractions
import math
import re

from .cells import Between
from .platform import Platform, number, target
from .symbols import Symbols, is_user
from .trace import HANDLING, STAGES, duration, handling

WINDOWS = {
    "guest": "from VM entry to this exit: the guest ran",
    "kernel": 'in the host\'s kernel for this exit; the header\'s note "kernel_time" states the window',
    "loop": "from the exit until the vCPU loop has it",
    "dispatch": "finding and leaving the handler, device model not included",
    "device": "inside the device model or handler",
    "user": "outside the kernel for this exit: from kvm_userspace_exit until KVM goes on with the guest",
}


def stage(event, name):
    return duration(event, f"{name}_ns")


def total(values):
    """The sum of what was captured; None where nothing was."""
    captured = [value for value in values if value is not None]
    return sum(captured) if captured else None


def handled(events):
    """Time of handling, added up; None where no event has any of it."""
    return total(duration(event, name) for event in events for name in HANDLING)


def grouped(events, key):
    groups = collections.defaultdict(list)
    for event in events:
        groups[key(event)].append(event)
    return groups


def exit_histogram(trace, reasons):
    return [
        {"reason": reason, "sdm_reason": reasons.get(reason), "vcpu": vcpu, "count": len(events),
         "share": len(events) / len(trace.exits),
         "guest_ns": total(duration(event, "guest_ns") for event in events),
         "handling_ns": handled(events)}
        for (reason, vcpu), events in grouped(trace.exits, lambda e: (e["reason"], e.get("vcpu"))).items()]


def percentile(ordered, percent, part):
    """The smallest value that so many per cent do not exceed, and at most a part of it more."""
    place = math.ceil(fractions.Fraction(percent) / 100 * len(ordered))
    exact = ordered[max(1, place) - 1]
    return Between(exact, min(ordered[-1], math.floor(exact * (1 + fractions.Fraction(part)))))


def exit_latency(trace, reasons):
    rows = []
    for (reason, vcpu), events in grouped(trace.exits, lambda e: (e["reason"], e.get("vcpu"))).items():
        for name in STAGES:
            times = sorted(time for event in events if (time := stage(event, name)) is not None)
            if not times:
                continue
            row = {"reason": reason, "sdm_reason": reasons.get(reason), "vcpu": vcpu, "stage": name,
                   "count": len(times), "total": sum(times), "min": times[0],
                   "mean": (2 * sum(times) + len(times)) // (2 * len(times))}
            for column, percent in [("p50", "50"), ("p90", "90"), ("p99", "99"), ("p99_9", "99.9")]:
                row[column] = percentile(times, percent, "0.001")
            rows.append(row | {"max": times[-1], "window": trace.note(f"{name}_time") or WINDOWS[name]})
    return rows


class Keys:
    """The columns that exits can be told apart by."""

    def __init__(self, trace, symbols):
        self.trace = trace
        self.platform = Platform(trace)
        self.symbols = Symbols(symbols, trace.exits)

    def of(self, event, name):
        return getattr(self, name)(event)

    def asked(self, event, name):
        """What `--where` compares: a field of the event, as `exits` shows it, comes before a key called so."""
        if name == "region" and name in event:
            return self.trace.region(event[name])
        fields = name in event or name not in KEYS or name in ("reason", "direction", "size", "rip", "vcpu", "cpl", "mode")
        return event.get(name) if fields else self.of(event, name)

    def event(self, event):
        return event["type"]

    def reason(self, event):
        return event["reason"]

    def target(self, event):
        found = number(event)
        if found is None:
            return None
        return f"page of {self.trace.region(found)}" if event["type"] == "EPT_FAULT" else target(event["type"], found)

    def device(self, event):
        found = number(event)
        if found is not None and event["type"] == "EPT_FAULT":
            return self.trace.region(found)
        return None if found is None else self.platform.place(event["type"], found)[0]

    def register(self, event):
        found = number(event)
        return None if found is None else self.platform.place(event["type"], found)[1]

    def direction(self, event):
        if event["type"] == "EPT_FAULT":
            access = event.get("access")
            return None if access == "NONE" else access
        if event["type"] == "CR_ACCESS":
            # Bits 5:4 of the qualification: 1 is MOV from CR.
            return None if "qualification" not in event else (
                "READ" if event["qualification"] >> 4 & 3 == 1 else "WRITE")
        return event.get("direction")

    def size(self, event):
        return event.get("size")

    def function(self, event):
        symbol = self.symbols.of(event)
        return symbol and symbol[0]

    def offset(self, event):
        symbol = self.symbols.of(event)
        return symbol and symbol[1]

    def location(self, event):
        symbol = self.symbols.of(event)
        if symbol:
            return f"{symbol[0]}+0x{symbol[1]:x}"
        return f"0x{event['rip']:x}" if "rip" in event else None

    def rip(self, event):
        return event.get("rip")

    def space(self, event):
        if "cpl" not in event and "rip" not in event:
            return None
        return "USER" if is_user(event) else "KERNEL"

    def vcpu(self, event):
        return event.get("vcpu")

    def cpl(self, event):
        return event.get("cpl")

    def mode(self, event):
        return event.get("mode")


KEYS = ["event", "reason", "device", "register", "target", "direction", "size", "function", "offset", "location",
        "rip", "space", "vcpu", "cpl", "mode"]
DEFAULT_KEYS = ["device", "register", "target", "direction", "size", "location", "vcpu"]
TEXT = ["event", "reason", "device", "register", "target", "direction", "function", "location", "space"]
SUMS = ["count", "share", *(f"{stage}_ns" for stage in STAGES), "first_time", "last_time"]


def passes(keys, event, conditions):
    """Whether all conditions hold; what was not captured does not pass."""
    for name, operator, value in conditions:
        found = keys.asked(event, name)
        if found is None:
            return False
        if isinstance(found, str):
            holds = {"=": found.lower() == str(value).lower(), "!=": found.lower() != str(value).lower(),
                     "~": operator == "~" and re.search(value, found) is not None}[operator]
        else:
            holds = {"=": found == value, "!=": found != value, "<": found < value, "<=": found <= value,
                     ">": found > value, ">=": found >= value}[operator]
        if not holds:
            return False
    return True


def hotspots(trace, symbols, by, conditions):
    keys = Keys(trace, symbols)
    chosen = [event for event in trace.exits if passes(keys, event, conditions)]
    rows = []
    for values, events in grouped(chosen, lambda e: tuple(keys.of(e, name) for name in by)).items():
        row = dict(zip(by, values)) | {"count": len(events), "share": len(events) / len(chosen)}
        for name in STAGES:
            row[f"{name}_ns"] = total(stage(event, name) for event in events)
        times = [event["time"] for event in events]
        rows.append(row | {"first_time": min(times), "last_time": max(times)})
    return rows


def ept_faults(trace):
    def page(event, name):
        return 1 << event[name] if event.get(name, 64) < 64 else None

    def key(event):
        region = event.get("region")
        return (None if region is None else trace.region(region), event.get("access"),
                page(event, "guest_page"), page(event, "ept_page"))

    rows = []
    faults = [event for event in trace.exits if event["type"] == "EPT_FAULT"]
    for (region, access, guest, ept), events in grouped(faults, key).items():
        touches = [event["first_touch"] for event in events if "first_touch" in event]
        times = [event["time"] for event in events]
        rows.append({
            "region": region, "access": access, "guest_page_size": guest, "ept_page_size": ept,
            "count": len(events),
            "first_touches": sum(touches) if touches else None,
            "again": len(touches) - sum(touches) if touches else None,
            "handling_ns": handled(events), "first_time": min(times), "last_time": max(times)})
    return rows


KINDS = [
    # kind, KVM's counter, type of event, exit reason (TABLES.md, coverage; KVM: arch/x86/kvm/x86.c)
    ("all exits", "exits", None, None),
    ("port I/O", "io_exits", "PIO", None),
    ("memory-mapped I/O", "mmio_exits", "MMIO", None),
    ("page fault", "pf_taken", "EPT_FAULT", None),
    ("hypercall", "hypercalls", "HYPERCALL", None),
    ("halt", "halt_exits", "HLT", None),
    ("external interrupt", "irq_exits", None, "EXTERNAL_INTERRUPT"),
    ("interrupt window", "irq_window_exits", None, "INTERRUPT_WINDOW"),
    ("NMI window", "nmi_window_exits", None, "NMI_WINDOW"),
    ("interrupt injection", "irq_injections", "INJECTION", None),
]


def gained(trace):
    """What each counter gained: (of, name) -> sum over vCPUs."""
    before = {(c["of"], c["name"]): sum(c["values"]) for c in trace.header.get("counters", [])}
    end = (trace.info.get("end") or {}).get("counters", [])
    return {(c["of"], c["name"]): sum(c["values"]) - before.get((c["of"], c["name"]), 0) for c in end}


def coverage(trace):
    counters = gained(trace)
    rows = []

    def add(kind, recorded, counter, counted):
        if recorded or counted:
            rows.append({"kind": kind, "recorded": recorded, "counter": counter, "counted": counted,
                         "share": recorded / counted if counted else None})

    for kind, name, type_, reason in KINDS:
        events = trace.exits if type_ is None else [event for event in trace.events if event["type"] == type_]
        recorded = sum(reason is None or event["reason"] == reason for event in events)
        gains = [gain for (_, counter), gain in counters.items() if counter == name]
        if gains:
            add(kind, recorded, name, sum(gains))
    for (of, name), hits in counters.items():
        if of == "tracepoint":
            add(f"record of {name}", counters.get(("tracepoint-read", name), 0), "its hits", hits)
    return rows
