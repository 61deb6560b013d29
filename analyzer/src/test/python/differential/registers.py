"""What accesses to registers were good for: poll_loops, unchanged_accesses, combinable_accesses.

As TABLES.md, "What is counted", says it. Each vCPU's accesses are taken in their order.
"""

import collections
import dataclasses

from .counted import Keys
from .platform import number, target
from .trace import duration, handling

SHORTEST = 4
NO_INDEX = None

PORT_PAIRS = {0xcf8: range(0xcfc, 0xd00)} | {index: range(index + 1, index + 2) for index in (
    0x70, 0x72, 0x3d4, 0x3b4, 0x3c4, 0x3ce, 0x2e, 0x4e, 0x510, 0x22)}
MEMORY_PAIRS = {0xfec00000: range(0xfec00010, 0xfec00011)}


@dataclasses.dataclass
class Access:
    """One item moved to or from one register."""

    event: dict
    type: str
    number: int
    size: int
    write: bool
    value: int
    handling: int
    guest: int
    index: int = NO_INDEX

    @property
    def rip(self):
        return self.event.get("rip")

    @property
    def begin(self):
        return self.event["time"]

    @property
    def end(self):
        return self.event["time"] + handling(self.event)

    def kind(self):
        return self.type, self.size, self.write


def access_of(event):
    """The access that an exit is, or None: one item whose register, direction, size and value were captured."""
    found = number(event)
    if event["type"] not in ("PIO", "MMIO", "MSR") or found is None:
        return None
    if "direction" not in event or "value" not in event or event["type"] != "MSR" and "size" not in event:
        return None
    if event["type"] == "PIO" and event.get("count") != 1:
        return None
    return Access(event, event["type"], found, event["size"] if event["type"] != "MSR" else 0,
                  event["direction"] == "WRITE", event["value"], handling(event), duration(event, "guest_ns") or 0)


def pairs(access):
    return {"PIO": PORT_PAIRS, "MMIO": MEMORY_PAIRS}.get(access.type, {})


def is_data(access):
    return any(access.number in data for data in pairs(access).values())


def selects(index, access):
    """Whether the one writes the index register of the other's data register."""
    return index.write and index.type == access.type and access.number in pairs(index).get(index.number, ())


class Lane:
    """One vCPU's accesses: as they count for registers, and as they make runs."""

    def __init__(self, accesses):
        self.counted = []   # (access, index)
        self.pairs = []     # (index write, data access)
        self.trail = []
        waiting = None
        for access in accesses:
            if waiting and selects(waiting, access):
                self.pairs.append((waiting, access))
                both = dataclasses.replace(access, index=waiting.value & 0xffffffff)
                self.counted.append(both)
                self.trail.append(dataclasses.replace(
                    both, handling=access.handling + waiting.handling, guest=access.guest + waiting.guest))
                waiting = None
                continue
            if waiting:
                self.trail.append(waiting)
                waiting = None
            if not is_data(access):
                self.counted.append(access)
                if access.write and access.number in pairs(access):
                    waiting = access
                    continue
            self.trail.append(access)
        if waiting:
            self.trail.append(waiting)

    def runs(self, relation):
        """Accesses each of which stands in one relation to the one before: (relation, accesses, what ended it)."""
        run, kind = [], None
        for before, access in zip(self.trail, self.trail[1:]):
            found = relation(before, access)
            if run and found == kind:
                run.append(access)
                continue
            if run:
                yield kind, run, found
            run, kind = ([before, access], found) if found in ("same", "again", "next") else ([], None)
        if run:
            yield kind, run, None


def poll(before, access):
    if access.write or access.kind() != before.kind() or (access.number, access.index) != (before.number, before.index):
        return None
    return "same" if access.value == before.value else "changed"


def sequence(before, access):
    if (access.kind() != before.kind() or access.index is not None or before.index is not None
            or access.type == "MSR"):
        return None
    if access.number == before.number:
        return "again" if access.rip is not None and access.rip == before.rip else None
    return "next" if access.number == before.number + before.size else None


class Registers:
    """The three tables of a trace."""

    def __init__(self, trace, symbols):
        self.keys = Keys(trace, symbols)
        by_vcpu = collections.defaultdict(list)
        for event in trace.exits:
            access = access_of(event)
            if access:
                by_vcpu[event.get("vcpu")].append(access)
        self.trace = trace
        self.lanes = {}
        for vcpu, accesses in by_vcpu.items():
            accesses.sort(key=lambda access: access.event["sequence"])
            self.lanes[vcpu] = Lane(accesses)

    def first(self, access):
        device, register, _ = self.keys.platform.place(access.type, access.number)
        selected = "" if access.index is None else f"[0x{access.index:x}]"
        return {"device": device, "register": register and register + selected,
                "target": target(access.type, access.number) + selected, "size": access.size or None}

    def role(self, access):
        return self.keys.platform.place(access.type, access.number)[2]

    def location(self, access):
        return self.keys.location(access.event)

    def poll_loops(self):
        rows = collections.defaultdict(list)
        for lane in self.lanes.values():
            for kind, run, ended in lane.runs(poll):
                if kind == "same" and len(run) >= SHORTEST:
                    first = run[0]
                    rows[first.kind(), first.number, first.index, first.rip].append((run, ended))
        return [self.poll_row(loops) for loops in rows.values()]

    def poll_row(self, loops):
        runs = [run for run, _ in loops]
        first = runs[0][0]
        elapsed = [run[-1].end - run[0].begin for run in runs]
        last = max(runs, key=lambda run: (run[-1].end, run[-1].value))
        return self.first(first) | {
            "location": self.location(first), "loops": len(runs), "reads": sum(map(len, runs)),
            "longest": max(map(len, runs)), "elapsed": sum(elapsed), "longest_elapsed": max(elapsed),
            "handling_ns": sum(access.handling for run in runs for access in run),
            "guest_ns": sum(access.guest for run in runs for access in run[1:]),
            "changed": sum(ended == "changed" for _, ended in loops), "value": last[-1].value}

    def unchanged_accesses(self):
        rows = {}
        for lane in self.lanes.values():
            known = {}
            for access in lane.counted:
                register = access.type, access.number, access.index, access.size
                row = rows.setdefault((*register, access.write), [access, 0, 0, 0, 0])
                row[1] += 1
                row[2] += access.handling
                if known.get(register) == access.value:
                    row[3] += 1
                    row[4] += access.handling
                known[register] = access.value
        return [self.unchanged_row(*row) for row in rows.values() if row[3]]

    def unchanged_row(self, access, count, nanos, unchanged, unchanged_nanos):
        role = self.role(access)
        verdict = {"state": "REDUNDANT", "index": "REDUNDANT", "data": "ACTS", "delay": "ACTS",
                   "unknown": "UNKNOWN"}.get(role) or ("ACTS" if access.write else "POLLED")
        return self.first(access) | {
            "direction": "WRITE" if access.write else "READ", "verdict": verdict, "count": count,
            "unchanged": unchanged, "share": unchanged / count, "handling_ns": nanos,
            "unchanged_ns": unchanged_nanos, "location": self.busiest(access)}

    def busiest(self, access):
        """The place with most exits that access the register so; of several the lowest address."""
        places = collections.Counter(
            event["rip"] for event in self.trace.exits
            if event["type"] == access.type and number(event) == access.number and "rip" in event
            and event.get("size", 0) == access.size and event.get("direction") == ("WRITE" if access.write else "READ"))
        if not places:
            return None
        rip = min(places, key=lambda place: (-places[place], place))
        return self.keys.location(access.event | {"rip": rip})

    def combinable_accesses(self):
        rows = collections.defaultdict(list)
        for lane in self.lanes.values():
            for index, data in lane.pairs:
                rows["PAIR", data.kind(), data.number, data.rip].append(([index, data], 1))
            for kind, run, _ in lane.runs(sequence):
                changes = sum(a.value != b.value for a, b in zip(run, run[1:]))
                if len(run) < SHORTEST or not run[0].write and changes * 2 < len(run) - 1:
                    continue
                first = run[0]
                name = "STRING" if kind == "again" else "ASCENDING"
                rows[name, first.kind(), first.number, first.rip].append(
                    (run, 1 if kind == "again" else wider(run)))
        return [self.combinable_row(key[0], found) for key, found in rows.items()
                if self.can_combine(key[0], found[0][0][-1 if key[0] == "PAIR" else 0])]

    def can_combine(self, kind, access):
        return kind == "PAIR" or self.role(access) in ("data", "state", "unknown")

    def combinable_row(self, kind, found):
        first = found[0][0][-1 if kind == "PAIR" else 0]
        accesses = sum(len(run) for run, _ in found)
        could_be = sum(could for _, could in found)
        nanos = sum(access.handling for run, _ in found for access in run)
        return self.first(first) | {
            "kind": kind, "direction": "WRITE" if first.write else "READ", "location": self.location(first),
            "sequences": len(found), "accesses": accesses, "could_be": could_be, "handling_ns": nanos,
            "saved_ns": (2 * nanos * (accesses - could_be) + accesses) // (2 * accesses)}


def wider(run):
    """How many of the widest aligned accesses would do: 4 bytes of ports, 8 of memory."""
    widest = 4 if run[0].type == "PIO" else 8
    begin = run[0].number
    end = begin + len(run) * run[0].size
    return (end + widest - 1) // widest - begin // widest


